"""Tables say what the ledger says: whose result, what it cost, and the one command that does it again."""

import dataclasses
import json

from samples import SLOTS, attempt, document, header, trials

from automl.messages import Outcome
from automl.report.command import command
from automl.report.slots import default_slot, slots_of
from automl.report.tables import confirmations, cost, failures, family_tables, provenance, results, standing
from automl.report.text import aligned, duration, gain, number, setting
from automl.tasks import Choices, load_task


def test_results_stand_below_each_other_the_winner_first():
    rows = results(document())
    assert [row[:2] for row in rows] == [
        ("cnn, the exported model", "0.9860"),
        ("cnn, its default", "0.9740"),
        ("majority", "0.1000"),
        ("linear", "0.9500"),
    ]
    assert rows[0][2] == "95 % interval 0.975 to 0.994"
    assert results(document(best=None)) == []


def test_a_default_that_is_better_where_less_is_better_has_the_lower_value():
    rows = results(document(direction="minimize", test_gains={"default": [-0.012, -0.02, 0.0]}))
    assert rows[1] == ("cnn, its default", "0.9740", "")


def test_confirmations_are_sorted_by_their_mean():
    confirmed = [
        {"slot": 1, "family": "cnn", "values": [0.9, 0.8]},
        {"slot": 0, "family": "mlp", "values": [0.95, 0.93]},
        {"slot": 2, "family": "mlp", "values": []},
    ]
    assert confirmations(document(confirmed=confirmed), trials()) == [
        ("0", "mlp", "0.9000", "0.9400", "0.9500", "0.9300"),
        ("1", "cnn", "0.9500", "0.8500", "0.9000", "0.8000"),
    ]


def test_slots_are_listed_per_family_with_a_column_per_parameter():
    cnn, mlp = family_tables(trials())
    assert (cnn.family, mlp.family, mlp.total) == ("cnn", "mlp", 3)
    assert mlp.parameters == ("lr", "depth", "optimizer")
    assert mlp.rows[0] == ("0", "complete", "0.9000", "6", "2.0 s", "1", "0.00123", "2", "adamw", "")
    assert [row[0] for row in mlp.rows] == ["0", "2", "3"]  # complete, stopped early, failed
    assert mlp.rows[2][-1] == "diverged (NaN at epoch 3)"


def test_failures_are_counted_by_reason():
    again = attempt(4, None, "failed", reason="diverged (NaN at epoch 3)")
    assert failures(trials([*SLOTS, again])) == [("diverged (NaN at epoch 3)", 2)]


def test_cost_counts_every_attempt_once():
    lost = dataclasses.replace(attempt(5, None, "lost"), final=False, outcome=Outcome("trial-5-0-0", 0, "lost"))
    score = dataclasses.replace(attempt(1), kind="score", outcome=Outcome("score-1-0-0", 0, "complete", value=0.9))
    rows = cost([*SLOTS, lost, score])
    assert [(row.what, row.attempts, row.epochs, row.seconds) for row in rows] == [
        ("trials that completed", 2, 12, 4.0),
        ("trials stopped early", 1, 6, 2.0),
        ("trials that failed", 1, 6, 2.0),
        ("attempts lost or interrupted", 1, 0, 0.0),
        ("reading of the test rows", 1, 0, 2.0),
    ]
    assert sum(row.share for row in rows) == 1.0


def test_the_command_repeats_what_was_asked_for_and_no_default():
    assert command(header()) == "automl search bowl --seed 0 --name digits-0 --families mlp,cnn --trials 4"
    config = {
        "seed": 7,
        "families": ["mlp"],
        "budget": {"trials": None, "seconds": 120.0},
        "sampler": "random",
        "max_epochs": 30,
        "overrides": {"mlp.lr": "1e-3..1e-2"},
    }
    assert command(header(config=config, name="bowl-7")) == (
        "automl search bowl --seed 7 --families mlp --time 120s --sampler random --set mlp.lr=1e-3..1e-2"
    )


def test_a_command_with_a_hostile_name_stays_one_word():
    config = {**header().config, "overrides": {"mlp.x": "$(rm -rf ~); 'a'"}}
    assert command(header(config=config)).endswith("""--set 'mlp.x=$(rm -rf ~); '"'"'a'"'"''""")


def test_the_command_of_a_task_file_names_the_file_and_what_was_said_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"the {word} of step {row},{row % 2}\n" for row, word in enumerate(["array", "table"] * 20))
    for name in ("data.csv", "new.csv"):
        (tmp_path / name).write_text("said,y\n" + rows)
    (tmp_path / "my words.yaml").write_text(
        "path: data.csv\ntarget: said\nmetric: log_loss\nencoding: latin-1\ncolumns:\n  said: text\n"
    )
    task = load_task("my words.yaml", Choices("y", test="new.csv"))
    asked = header(task={"name": task.name, "source": task.source, "choices": json.loads(json.dumps(task.choices))})
    assert command(asked).startswith("automl search 'my words.yaml' --target y --test new.csv --seed 0 ")
    own = load_task("data.csv", Choices("y", columns={"said": "text"}, test="new.csv"))
    asked = header(task={"name": own.name, "source": own.source, "choices": own.choices})
    assert command(asked).startswith("automl search data.csv --target y --test new.csv --column said=text --seed 0 ")
    asked.task["choices"]["known"] = ["a b", "c"]
    assert "--known 'a b' --known c --column" in command(asked)


def test_provenance_names_data_code_and_versions():
    found = dict(provenance(header(), document()))
    assert found["data, sha256"] == "c0ffee"
    assert found["torch"] == "2.13.0"
    assert found["family mlp, sha256"] == "aaaa"
    assert found["bundle"] == "exports/digits/v-0123456789ab"


def test_a_night_between_two_commands_takes_no_time_of_searching():
    late = dataclasses.replace(
        attempt(1), opened_ms=attempt(1).opened_ms + 10**8, closed_ms=attempt(1).opened_ms + 10**8 + 2000
    )
    assert [slot.ended for slot in slots_of([attempt(0), late])] == [2.0, 4.0]


def test_a_result_that_was_adopted_days_later_ended_when_its_worker_did():
    adopted = dataclasses.replace(attempt(0), closed_ms=attempt(0).opened_ms + 10**8)
    assert [slot.ended for slot in slots_of([adopted])] == [2.0]


def test_slots_of_two_workers_overlap_in_time():
    beside = dataclasses.replace(
        attempt(1), opened_ms=attempt(0).opened_ms + 500, closed_ms=attempt(0).opened_ms + 2500
    )
    assert [slot.ended for slot in slots_of([attempt(0), beside])] == [2.0, 2.5]


def test_the_default_is_a_familys_first_slot():
    slots = slots_of([attempt(0, 0.8), attempt(1, 0.7, family="cnn"), attempt(2, 0.99)])
    assert default_slot(slots, "maximize", "cnn").number == 1
    assert default_slot(slots, "maximize", None).number == 0
    assert default_slot(slots_of([attempt(0, None, "failed"), attempt(1)]), "maximize", "mlp") is None


def test_numbers_of_a_column_share_their_decimals():
    assert aligned([0.99415, 1.0, None]) == ["0.9941", "1.0000", "–"]
    assert aligned([54.321, 8.0]) == ["54.32", "8.00"] or aligned([54.321, 8.0])[0].endswith("321")
    assert aligned([0.5, 1e30]) == ["0.5000", "1e+30"]
    assert aligned([0.0, 0.0]) == ["0.0000", "0.0000"]
    assert aligned([139_216.4, 98_765.4, 812.3]) == ["139,200", "98,770", "812"]


def test_numbers_and_durations_read_well():
    assert (number(402), number(0.98765), number(None), number(True)) == ("402", "0.9877", "–", "–")
    assert (number(139_216.4), number(-1.5e6), number(12_345), gain(2e6)) == (
        "139,200",
        "-1,500,000",
        "12,345",
        "+2,000,000",
    )
    assert (duration(41.24), duration(125), duration(3725), duration(None)) == (
        "41.2 s",
        "2 min 05 s",
        "1 h 02 min",
        "–",
    )
    assert (setting(1e6), setting(0.00123456), setting(64), setting("a\x1b")) == (
        "1,000,000",
        "0.00123",
        "64",
        "a\\x1b",
    )


def test_a_verdict_for_another_model_is_not_marked_as_better():
    assert standing(document()) == "better"
    assert standing(document(verdict="gradient boosting is better: use it")) == "same"
    assert standing(document(verdict=None)) == "open"
