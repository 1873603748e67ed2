#ifndef CFILES_H
#define CFILES_H

/// Functions of Linux that Swift's module of the C library leaves out.

/// Writes all that the file system of an open file holds in memory to the disk. 0, or -1 and `errno`.
int cfiles_syncfs(int descriptor);

/// Swaps two names in one step. 0, or -1 and `errno`.
int cfiles_exchange(const char *left, const char *right);

#endif
