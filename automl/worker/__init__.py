"""Workers: an assignment in, reports and outcomes out. They know no database; torch is imported here, by the files that train."""
