#ifndef CSQLITE_H
#define CSQLITE_H

/// Lets SQLite understand names of databases with options behind them, such as `file:/a/b?immutable=1`. Its function for
/// that takes any number of arguments, which Swift cannot call. To be called before any database is opened; 0 if it worked.
int csqlite_enable_uris(void);

#endif
