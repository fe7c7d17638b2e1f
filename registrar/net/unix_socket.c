/* SPDX-License-Identifier: Apache-2.0 */
/* A Unix socket that one process serves, from its first to its last moment. */
#include "registrar/net/unix_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "registrar/memory.h"

enum { BACKLOG = 128, MODE = 0660 };

struct unix_socket {
	struct sockaddr_un at;
	int fd;	  /* -1: handed over */
	int lock; /* -1: not ours */
	struct stat made;
};

static int refuse(
	const struct unix_socket *s, int error, const char *why, struct diag *d)
{
	return diag_set(d, -error, "%s: %s", s->at.sun_path, why);
}

/* The kernel lets go of it however we die. */
static int take_lock(struct unix_socket *s, struct diag *d)
{
	char *path = memory_format("%s.lock", s->at.sun_path);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = s->lock < 0 ? errno : 0;
	if (error)
		diag_set(d, -error,
			"%s: %s: admin.socket must name a folder that "
			"dialtoned may write to",
			path, strerror(error));
	else if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
		error = errno;
	free(path);
	if (error == EWOULDBLOCK)
		return refuse(s, EADDRINUSE,
			"another dialtoned serves this socket: stop it, or "
			"name another admin.socket",
			d);
	if (error && s->lock >= 0)
		return refuse(s, error, strerror(error), d);
	return -error;
}

static int new_socket(int flags)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static const struct sockaddr *at(const struct unix_socket *s)
{
	return (const struct sockaddr *)&s->at;
}

/* Whoever serves it without our lock is no dialtoned. */
static bool is_served(const struct unix_socket *s)
{
	int fd = new_socket(SOCK_NONBLOCK);
	/* EAGAIN: its backlog is full. */
	bool served = fd >= 0 && (connect(fd, at(s), sizeof(s->at)) == 0 ||
					 errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return served;
}

/* Makes room: what is there may be the socket of a dead process. */
static int clear_place(const struct unix_socket *s, struct diag *d)
{
	struct stat st;
	if (lstat(s->at.sun_path, &st) < 0)
		return errno == ENOENT ? 0
				       : refuse(s, errno, strerror(errno), d);
	if (!S_ISSOCK(st.st_mode))
		return refuse(s, EEXIST,
			"is there already and no socket: move it away, or "
			"name another admin.socket",
			d);
	if (is_served(s))
		return refuse(s, EADDRINUSE,
			"another program serves this socket: stop it, or "
			"name another admin.socket",
			d);
	if (unlink(s->at.sun_path) < 0)
		return refuse(s, errno, strerror(errno), d);
	return 0;
}

/* Nobody can connect before listen(), and by then the mode is right. */
static int bind_and_listen(struct unix_socket *s, struct diag *d)
{
	s->fd = new_socket(0);
	if (s->fd < 0 || bind(s->fd, at(s), sizeof(s->at)) < 0)
		return refuse(s, errno, strerror(errno), d);
	if (lstat(s->at.sun_path, &s->made) < 0 ||
		chmod(s->at.sun_path, MODE) < 0 || listen(s->fd, BACKLOG) < 0)
		return refuse(s, errno, strerror(errno), d);
	return 0;
}

int unix_socket_open(const char *path, struct unix_socket **out, struct diag *d)
{
	struct unix_socket *s = memory_zero(sizeof(*s));
	size_t n = strlen(path);
	assert(n <= UNIX_SOCKET_PATH_MAX);
	s->at.sun_family = AF_UNIX;
	memcpy(s->at.sun_path, path, n);
	s->fd = -1;
	int error = take_lock(s, d);
	if (error == 0)
		error = clear_place(s, d);
	if (error == 0)
		error = bind_and_listen(s, d);
	if (error < 0) {
		unix_socket_close(s);
		return error;
	}
	*out = s;
	return 0;
}

int unix_socket_take(struct unix_socket *s)
{
	int fd = s->fd;
	s->fd = -1;
	return fd;
}

/* Whoever took the file away and put another there may keep it. */
static bool still_ours(const struct unix_socket *s)
{
	struct stat now;
	return s->made.st_ino && lstat(s->at.sun_path, &now) == 0 &&
	       now.st_ino == s->made.st_ino && now.st_dev == s->made.st_dev;
}

void unix_socket_close(struct unix_socket *s)
{
	if (!s)
		return;
	if (still_ours(s))
		unlink(s->at.sun_path);
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

int unix_socket_peer(int fd, struct unix_socket_peer *out)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return -errno;
	*out = (struct unix_socket_peer){who.pid, who.uid, who.gid};
	return 0;
}
