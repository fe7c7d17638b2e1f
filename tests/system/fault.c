/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the daemon: the Nth call about certain files fails, or kills.
 *
 * FAULT_FILES is the beginning of the paths that count, FAULT_FOLDER a folder
 * that counts, too; FAULT_CONTROL a file of five little-endian 32-bit numbers
 * that a test maps: armed, calls so far, the call it is about, what happens (an
 * errno, or 0: SIGKILL), and whether it has happened. Bytes that leave or enter
 * by sockets count for the kill alone: they are no disk's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536 };

struct control {
	uint32_t armed, calls, at, error, done;
};

static struct control *control;
static const char *files, *folder;
static uint8_t counts[DESCRIPTORS]; /* by descriptor */

__attribute__((constructor(101))) static void map_control(void)
{
	const char *path = getenv("FAULT_CONTROL");
	files = getenv("FAULT_FILES");
	folder = getenv("FAULT_FOLDER");
	if (!path || !files || !folder)
		return;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	void *p = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
		MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (p != MAP_FAILED)
		control = p;
}

static bool is_path(const char *path)
{
	return control && (strncmp(path, files, strlen(files)) == 0 ||
				  strcmp(path, folder) == 0);
}

static bool is_file(int fd)
{
	return control && fd >= 0 && fd < DESCRIPTORS && counts[fd];
}

static bool is_socket(int fd)
{
	struct stat st;
	return control && syscall(SYS_fstat, fd, &st) == 0 &&
	       S_ISSOCK(st.st_mode);
}

/* Is this call the one? Then it fails, or is our last. */
static bool strikes(bool counted, bool kill_alone)
{
	if (!counted || !__atomic_load_n(&control->armed, __ATOMIC_ACQUIRE) ||
		(kill_alone && control->error))
		return false;
	uint32_t n = __atomic_add_fetch(&control->calls, 1, __ATOMIC_ACQ_REL);
	if (n != control->at)
		return false;
	__atomic_store_n(&control->done, 1, __ATOMIC_RELEASE);
	if (control->error == 0)
		kill(getpid(), SIGKILL);
	errno = (int)control->error;
	return true;
}

/* Ours have names of their own in C, and libc's to the linker: so they need not
 * be declared as libc's headers do. */
#define OURS(type, name, args)                \
	type ours_##name args __asm__(#name); \
	type ours_##name args
/* As POSIX has it: a function is an object to dlsym(). */
#define FIND(real, name) *(void **)&(real) = dlsym(RTLD_NEXT, #name)

/* An interposed function of a path, or of a descriptor. */
#define OF_PATH(type, name, args, call, path)      \
	OURS(type, name, args)                     \
	{                                          \
		static __typeof__(&name) real;     \
		if (!real)                         \
			FIND(real, name);          \
		if (strikes(is_path(path), false)) \
			return -1;                 \
		return real call;                  \
	}
#define OF_FILE(type, name, args, call)          \
	OURS(type, name, args)                   \
	{                                        \
		static __typeof__(&name) real;   \
		if (!real)                       \
			FIND(real, name);        \
		if (strikes(is_file(fd), false)) \
			return -1;               \
		return real call;                \
	}
#define OF_FILE_OR_SOCKET(type, name, args, call)                \
	OURS(type, name, args)                                   \
	{                                                        \
		static __typeof__(&name) real;                   \
		bool file = is_file(fd);                         \
		if (!real)                                       \
			FIND(real, name);                        \
		if (strikes(file, false) ||                      \
			(!file && strikes(is_socket(fd), true))) \
			return -1;                               \
		return real call;                                \
	}
/* The same that opens something. */
#define OPENS(name, args, call)                      \
	OURS(int, name, args)                        \
	{                                            \
		static __typeof__(&name) real;       \
		mode_t mode = 0;                     \
		va_list list;                        \
		if (!real)                           \
			FIND(real, name);            \
		if (flags & O_CREAT) {               \
			va_start(list, flags);       \
			mode = va_arg(list, mode_t); \
			va_end(list);                \
		}                                    \
		if (strikes(is_path(path), false))   \
			return -1;                   \
		int fd = real call;                  \
		if (fd >= 0 && fd < DESCRIPTORS)     \
			counts[fd] = is_path(path);  \
		return fd;                           \
	}

OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int dir, const char *path, int flags, ...),
	(dir, path, flags, mode))
OPENS(openat64, (int dir, const char *path, int flags, ...),
	(dir, path, flags, mode))

OF_PATH(int, unlink, (const char *path), (path), path)
OF_PATH(int, access, (const char *path, int mode), (path, mode), path)
OF_PATH(int, stat, (const char *path, struct stat *st), (path, st), path)
OF_PATH(int, stat64, (const char *path, struct stat64 *st), (path, st), path)
OF_PATH(int, lstat, (const char *path, struct stat *st), (path, st), path)
OF_PATH(int, lstat64, (const char *path, struct stat64 *st), (path, st), path)
OF_PATH(int, rename, (const char *from, const char *to), (from, to), to)

OF_FILE(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
OF_FILE(ssize_t, pread64, (int fd, void *p, size_t n, off64_t at),
	(fd, p, n, at))
OF_FILE(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
	(fd, p, n, at))
OF_FILE(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at),
	(fd, p, n, at))
OF_FILE(int, fsync, (int fd), (fd))
OF_FILE(int, fdatasync, (int fd), (fd))
OF_FILE(int, ftruncate, (int fd, off_t n), (fd, n))
OF_FILE(int, ftruncate64, (int fd, off64_t n), (fd, n))
OF_FILE(int, fstat, (int fd, struct stat *st), (fd, st))
OF_FILE(int, fstat64, (int fd, struct stat64 *st), (fd, st))
OF_FILE_OR_SOCKET(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
OF_FILE_OR_SOCKET(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
OF_FILE_OR_SOCKET(
	ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))

OURS(int, close, (int fd))
{
	static __typeof__(&close) real;
	bool counted = is_file(fd);
	if (!real)
		FIND(real, close);
	bool struck = strikes(counted, false);
	if (fd >= 0 && fd < DESCRIPTORS)
		counts[fd] = 0;
	int result = real(fd); /* Linux closes it whatever it says */
	if (!struck)
		return result;
	errno = (int)control->error;
	return -1;
}
