#include "CSQLite.h"

#include <sqlite3.h>

int csqlite_enable_uris(void) { return sqlite3_config(SQLITE_CONFIG_URI, 1); }
