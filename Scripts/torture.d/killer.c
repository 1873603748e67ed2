// Ends a program, or fills its disk, at a chosen moment: preloaded, it counts the calls that change files.
//
// TORTURE_KILL_AT=n   kills the process at the n-th call, before it is made
// TORTURE_FULL_AT=n   from the n-th call on, calls that take room fail as on a full disk
// TORTURE_CLOCK=s     the clock of the day goes s seconds ahead, or behind
// TORTURE_LOG=file    appends what is flushed and renamed, a line each
// TORTURE_COUNT=file  writes the number of calls to the file when the program ends
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;
static long kill_at, full_at, ahead;

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("TORTURE_KILL_AT");
  kill_at = text ? atol(text) : 0;
  text = getenv("TORTURE_FULL_AT");
  full_at = text ? atol(text) : 0;
  text = getenv("TORTURE_CLOCK");
  ahead = text ? atol(text) : 0;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("TORTURE_COUNT");
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", atomic_load(&calls));
  fclose(file);
}

static void note(const char *what, const char *from, const char *to) {
  const char *path = getenv("TORTURE_LOG");
  if (!path) return;
  char line[2 * 4096 + 32];
  int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, from, to);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (length < (int)sizeof line && write(fd, line, (size_t)length) < 0) abort();
  close(fd);
}

static void note_fd(const char *what, int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  note(what, path, "");
}

// Whether the call fails.
static int count(int takes_room) {
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (kill_at && number == kill_at) raise(SIGKILL);
  if (takes_room && full_at && number >= full_at) {
    errno = ENOSPC;
    return 1;
  }
  return 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int fd) {
  note_fd("flushed", fd);
  return count(0) ? -1 : NEXT(fsync)(fd);
}
int fdatasync(int fd) {
  note_fd("flushed", fd);
  return count(0) ? -1 : NEXT(fdatasync)(fd);
}
int syncfs(int fd) {
  note("all", "", "");
  return count(0) ? -1 : NEXT(syncfs)(fd);
}
int rename(const char *a, const char *b) {
  note("renamed", a, b);
  return count(0) ? -1 : NEXT(rename)(a, b);
}
int renameat2(int a, const char *b, int c, const char *d, unsigned e) {
  note("renamed", b, d);
  return count(0) ? -1 : NEXT(renameat2)(a, b, c, d, e);
}
int unlink(const char *a) { return count(0) ? -1 : NEXT(unlink)(a); }
int rmdir(const char *a) { return count(0) ? -1 : NEXT(rmdir)(a); }
int mkdir(const char *a, mode_t m) { return count(1) ? -1 : NEXT(mkdir)(a, m); }
int ftruncate(int fd, off_t n) { return count(0) ? -1 : NEXT(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { return count(0) ? -1 : NEXT(ftruncate64)(fd, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { return count(1) ? -1 : NEXT(pwrite)(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
  return count(1) ? -1 : NEXT(pwrite64)(fd, b, n, o);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = NEXT(clock_gettime)(clock, now);
  if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead;
  return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = NEXT(gettimeofday)(now, zone);
  if (!result) now->tv_sec += ahead;
  return result;
}
time_t time(time_t *place) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (place) *place = now.tv_sec;
  return now.tv_sec;
}
