/* What the disk would forget: preloaded into a server, it keeps an undo journal of everything not yet synced.
 *
 * Before a regular file below POWER_WATCHED changes, the bytes that are about to be overwritten and the file's size are
 * appended to that file's journal in POWER_JOURNAL; a sync that succeeded lets go of what was journaled before it began.
 * `chaos/power/disk.py` reads the journals after a cut and takes back what they hold.
 *
 * A journal belongs to an inode and its time of birth, so that a rename needs nothing, and a number used again cannot
 * be taken for the file that had it before. It is locked (flock) over the entry and the write itself: of two processes
 * the one's sync never lets go of a write that the other has yet to make.
 *
 * Every sync, and every opening for writing, also leaves the file's size of that moment: what grows by ways that no
 * preloaded library sees (stdio's own writes, io_uring) is cut off all the same. What can change a file in place
 * unseen, or is durable by other means (shared writable mappings, O_SYNC, sync), is not modelled; it is written down in
 * POWER_JOURNAL/unmodelled, and the run fails for it.
 *
 * Standard output and error are not watched: a server's log survives, as if it went to another machine.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define REAL(name)                                              \
    static __typeof__(&name) real_##name;                       \
    if (!real_##name) {                                         \
        real_##name = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        if (!real_##name) abort();                              \
    }

/* Positions count all bytes of entries that ever were in the journal; `base` is that of the first one still in it. */
struct header {
    uint64_t base;
    uint64_t synced;
};

/* Followed by `kept` bytes that stood at `offset`. `length` is what the write meant to write. */
struct entry {
    uint64_t offset;
    uint64_t kept;
    uint64_t length;
    uint64_t size;
};

struct file {
    int descriptor; /* of the file itself */
    int journal;    /* -1: not watched */
    uint64_t size;
    int saved_errno;
};

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset)
{
    REAL(pwrite)
    const char *rest = bytes;
    size_t left = length;
    while (left > 0) {
        ssize_t written = real_pwrite(fd, rest, left, offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            abort(); /* a journal that cannot be written makes the run worthless */
        rest += written;
        left -= (size_t)written;
        offset += written;
    }
    return (ssize_t)length;
}

static int open_journal(const char *name, int flags)
{
    REAL(open)
    char path[PATH_MAX];
    const char *directory = getenv("POWER_JOURNAL");
    if (!directory)
        abort();
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return real_open(path, flags | O_CREAT | O_CLOEXEC, 0666);
}

static void tell_unmodelled(const char *what, const char *path)
{
    REAL(write)
    int saved_errno = errno;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s\n", what, path);
    int fd = open_journal("unmodelled", O_WRONLY | O_APPEND);
    if (fd < 0 || real_write(fd, line, (size_t)length) != length)
        abort();
    close(fd);
    errno = saved_errno;
}

static int is_below(const char *path)
{
    const char *watched = getenv("POWER_WATCHED");
    size_t length = watched ? strlen(watched) : 0;
    return length > 0 && strncmp(path, watched, length) == 0 && path[length] == '/';
}

static int path_of(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return is_below(path);
}

/* The file behind a descriptor, its journal open and locked; `journal` is -1 where it is none of ours. */
static struct file locked(int fd)
{
    struct file file = {.descriptor = fd, .journal = -1, .saved_errno = errno};
    struct statx found;
    char path[PATH_MAX], name[64];
    if (fd <= STDERR_FILENO || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &found) != 0)
        goto done;
    if (!S_ISREG(found.stx_mode) || found.stx_nlink == 0 || !path_of(fd, path))
        goto done;
    snprintf(name, sizeof name, "%llu-%lld.%u", (unsigned long long)found.stx_ino,
             (long long)found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
    file.journal = open_journal(name, O_RDWR);
    if (file.journal < 0)
        abort();
    while (flock(file.journal, LOCK_EX) != 0)
        if (errno != EINTR)
            abort();
    struct stat now;
    if (fstat(fd, &now) != 0)
        abort();
    file.size = (uint64_t)now.st_size;
done:
    errno = file.saved_errno;
    return file;
}

static void unlocked(struct file *file)
{
    if (file->journal < 0)
        return;
    int saved_errno = errno;
    flock(file->journal, LOCK_UN); /* by name, not by closing: a child forked meanwhile holds it open as well */
    close(file->journal);
    file->journal = -1;
    errno = saved_errno;
}

static struct header header_of(int journal)
{
    struct header header = {0, 0};
    ssize_t got = pread(journal, &header, sizeof header, 0);
    if (got == 0)
        write_at(journal, &header, sizeof header, 0);
    else if (got != sizeof header)
        abort();
    return header;
}

static uint64_t end_of(int journal, struct header header)
{
    struct stat found;
    if (fstat(journal, &found) != 0)
        abort();
    return header.base + (uint64_t)found.st_size - sizeof header;
}

/* Append one entry in one write: what stands in [offset, offset + length) now, and the size. */
static void keep(struct file *file, uint64_t offset, uint64_t length)
{
    if (file->journal < 0)
        return;
    struct header header = header_of(file->journal);
    uint64_t kept = offset >= file->size ? 0 : file->size - offset < length ? file->size - offset : length;
    char *bytes = malloc(sizeof(struct entry) + kept);
    if (!bytes)
        abort();
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file->descriptor); /* it may be open for writing only */
    REAL(open)
    int reader = kept ? real_open(link, O_RDONLY | O_CLOEXEC) : -1;
    for (uint64_t read = 0; read < kept;) {
        ssize_t got = pread(reader, bytes + sizeof(struct entry) + read, kept - read, (off_t)(offset + read));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        read += (uint64_t)got;
    }
    if (reader >= 0)
        close(reader);
    struct entry entry = {.offset = offset, .kept = kept, .length = length, .size = file->size};
    memcpy(bytes, &entry, sizeof entry);
    off_t end = (off_t)(end_of(file->journal, header) - header.base + sizeof header);
    write_at(file->journal, bytes, sizeof entry + kept, end);
    free(bytes);
    errno = file->saved_errno;
}

/* A file that is opened for writing has a journal from then on, if only with its size. */
static int begun(int fd, int flags)
{
    if (fd < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return fd;
    struct file file = locked(fd);
    if (file.journal >= 0) {
        char path[PATH_MAX];
        if (flags & O_DSYNC && path_of(fd, path)) /* O_SYNC contains it */
            tell_unmodelled("O_SYNC", path);
        struct header header = header_of(file.journal);
        if (end_of(file.journal, header) == header.base)
            keep(&file, file.size, 0);
    }
    unlocked(&file);
    return fd;
}

/* Opening may cut a file off: what it held is kept first. */
static void keep_before_truncation(int directory, const char *path, int flags)
{
    if (!(flags & O_TRUNC))
        return;
    REAL(openat)
    int saved_errno = errno;
    int fd = real_openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        struct file file = locked(fd);
        keep(&file, 0, file.size);
        unlocked(&file);
        close(fd);
    }
    errno = saved_errno;
}

static int opened(int directory, const char *path, int flags, mode_t mode)
{
    REAL(openat)
    keep_before_truncation(directory, path, flags);
    return begun(real_openat(directory, path, flags, mode), flags);
}

static mode_t mode_in(int flags, va_list more)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

#define OPEN(name)                                          \
    EXPORT int name(const char *path, int flags, ...)       \
    {                                                       \
        va_list more;                                       \
        va_start(more, flags);                              \
        mode_t mode = mode_in(flags, more);                 \
        va_end(more);                                       \
        return opened(AT_FDCWD, path, flags, mode);         \
    }
#define OPENAT(name)                                             \
    EXPORT int name(int directory, const char *path, int flags, ...) \
    {                                                            \
        va_list more;                                            \
        va_start(more, flags);                                   \
        mode_t mode = mode_in(flags, more);                      \
        va_end(more);                                            \
        return opened(directory, path, flags, mode);             \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

EXPORT int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
EXPORT int creat64(const char *path, mode_t mode) { return creat(path, mode); }
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
EXPORT int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }

static int flags_of(const char *mode)
{
    if (mode[0] == 'w')
        return O_WRONLY | O_TRUNC;
    return mode[0] == 'a' || strchr(mode, '+') ? O_WRONLY : O_RDONLY;
}

#define FOPEN(name)                                                  \
    EXPORT FILE *name(const char *path, const char *mode)            \
    {                                                                \
        REAL(name)                                                   \
        keep_before_truncation(AT_FDCWD, path, flags_of(mode));      \
        FILE *stream = real_##name(path, mode);                      \
        if (stream)                                                  \
            begun(fileno(stream), flags_of(mode));                   \
        return stream;                                               \
    }
FOPEN(fopen)
FOPEN(fopen64)

static uint64_t length_of(const struct iovec *pieces, int count)
{
    uint64_t length = 0;
    for (int number = 0; number < count; number++)
        length += pieces[number].iov_len;
    return length;
}

static void keep_at_position(struct file *file, uint64_t length)
{
    if (file->journal < 0)
        return;
    int appends = fcntl(file->descriptor, F_GETFL) & O_APPEND;
    keep(file, appends ? file->size : (uint64_t)lseek(file->descriptor, 0, SEEK_CUR), length);
}

#define AFTER_KEEPING(type, fd, keeping, call) \
    struct file file = locked(fd);             \
    keeping;                                   \
    type result = call;                        \
    unlocked(&file);                           \
    return result;

EXPORT ssize_t write(int fd, const void *bytes, size_t length)
{
    REAL(write)
    AFTER_KEEPING(ssize_t, fd, keep_at_position(&file, length), real_write(fd, bytes, length))
}

EXPORT ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    REAL(writev)
    AFTER_KEEPING(ssize_t, fd, keep_at_position(&file, length_of(pieces, count)), real_writev(fd, pieces, count))
}

#define PWRITE(name)                                                                 \
    EXPORT ssize_t name(int fd, const void *bytes, size_t length, off_t offset)      \
    {                                                                                \
        REAL(name)                                                                   \
        AFTER_KEEPING(ssize_t, fd, keep(&file, (uint64_t)offset, length),            \
                      real_##name(fd, bytes, length, offset))                        \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name)                                                                                \
    EXPORT ssize_t name(int fd, const struct iovec *pieces, int count, off_t offset)                 \
    {                                                                                                \
        REAL(name)                                                                                   \
        AFTER_KEEPING(ssize_t, fd, keep(&file, (uint64_t)offset, length_of(pieces, count)),          \
                      real_##name(fd, pieces, count, offset))                                        \
    }
PWRITEV(pwritev)
PWRITEV(pwritev64)

#define PWRITEV2(name)                                                                               \
    EXPORT ssize_t name(int fd, const struct iovec *pieces, int count, off_t offset, int flags)      \
    {                                                                                                \
        REAL(name)                                                                                   \
        if (flags & RWF_APPEND || offset < 0) {                                                      \
            AFTER_KEEPING(ssize_t, fd, keep_at_position(&file, length_of(pieces, count)),            \
                          real_##name(fd, pieces, count, offset, flags))                             \
        }                                                                                            \
        AFTER_KEEPING(ssize_t, fd, keep(&file, (uint64_t)offset, length_of(pieces, count)),          \
                      real_##name(fd, pieces, count, offset, flags))                                 \
    }
PWRITEV2(pwritev2)
PWRITEV2(pwritev64v2)

static void keep_cut(struct file *file, off_t size)
{
    uint64_t from = (uint64_t)size < file->size ? (uint64_t)size : file->size;
    keep(file, from, file->size - from);
}

#define FTRUNCATE(name)                                                                \
    EXPORT int name(int fd, off_t size)                                                \
    {                                                                                  \
        REAL(name)                                                                     \
        AFTER_KEEPING(int, fd, keep_cut(&file, size), real_##name(fd, size))           \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

/* By its name: opened, so that one way leads to the journal. */
#define TRUNCATE(name)                                     \
    EXPORT int name(const char *path, off_t size)          \
    {                                                      \
        REAL(openat)                                       \
        int fd = real_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC); \
        if (fd < 0)                                        \
            return -1;                                     \
        int result = ftruncate(fd, size);                  \
        int saved_errno = errno;                           \
        close(fd);                                         \
        errno = saved_errno;                               \
        return result;                                     \
    }
TRUNCATE(truncate)
TRUNCATE(truncate64)

#define POSIX_FALLOCATE(name)                                                                           \
    EXPORT int name(int fd, off_t offset, off_t length)                                                 \
    {                                                                                                   \
        REAL(name)                                                                                      \
        AFTER_KEEPING(int, fd, keep(&file, file.size, 0), real_##name(fd, offset, length))              \
    }
POSIX_FALLOCATE(posix_fallocate)
POSIX_FALLOCATE(posix_fallocate64)

#define FALLOCATE(name)                                                                                 \
    EXPORT int name(int fd, int mode, off_t offset, off_t length)                                       \
    {                                                                                                   \
        REAL(name)                                                                                      \
        AFTER_KEEPING(int, fd, keep(&file, (uint64_t)offset, mode ? file.size : 0),                     \
                      real_##name(fd, mode, offset, length))                                            \
    }
FALLOCATE(fallocate)
FALLOCATE(fallocate64)

EXPORT ssize_t copy_file_range(int from, off64_t *from_offset, int fd, off64_t *offset, size_t length, unsigned flags)
{
    REAL(copy_file_range)
    if (offset) {
        AFTER_KEEPING(ssize_t, fd, keep(&file, (uint64_t)*offset, length),
                      real_copy_file_range(from, from_offset, fd, offset, length, flags))
    }
    AFTER_KEEPING(ssize_t, fd, keep_at_position(&file, length),
                  real_copy_file_range(from, from_offset, fd, offset, length, flags))
}

#define SENDFILE(name)                                                                                              \
    EXPORT ssize_t name(int fd, int from, off_t *offset, size_t length)                                             \
    {                                                                                                               \
        REAL(name)                                                                                                  \
        AFTER_KEEPING(ssize_t, fd, keep_at_position(&file, length), real_##name(fd, from, offset, length))          \
    }
SENDFILE(sendfile)
SENDFILE(sendfile64)

/* A mapping that others see can change the file at any instant. PostgreSQL's shared memory is no file in earnest. */
#define MMAP(name)                                                                                        \
    EXPORT void *name(void *at, size_t length, int protection, int flags, int fd, off_t offset)           \
    {                                                                                                     \
        REAL(name)                                                                                        \
        char path[PATH_MAX];                                                                              \
        if (fd >= 0 && flags & MAP_SHARED && protection & PROT_WRITE && path_of(fd, path) &&              \
            !strstr(path, "/pg_dynshmem/"))                                                               \
            tell_unmodelled("mmap", path);                                                                \
        return real_##name(at, length, protection, flags, fd, offset);                                    \
    }
MMAP(mmap)
MMAP(mmap64)

EXPORT int syncfs(int fd)
{
    REAL(syncfs)
    char path[PATH_MAX];
    if (path_of(fd, path))
        tell_unmodelled("syncfs", path);
    return real_syncfs(fd);
}

/* What was kept before the sync began is let go once it succeeded; what was written meanwhile stays in doubt. */
static uint64_t before_sync(int fd)
{
    struct file file = locked(fd);
    uint64_t end = 0;
    if (file.journal >= 0) {
        end = end_of(file.journal, header_of(file.journal));
        keep(&file, file.size, 0);
    }
    unlocked(&file);
    return end;
}

static void after_sync(int fd, uint64_t end)
{
    struct file file = locked(fd);
    if (file.journal >= 0) {
        struct header header = header_of(file.journal);
        if (end > header.synced)
            header.synced = end;
        write_at(file.journal, &header, sizeof header, 0);
        if (end_of(file.journal, header) == end + sizeof(struct entry)) { /* only the size, which is kept again */
            struct header anew = {.base = end, .synced = end};
            if (ftruncate(file.journal, sizeof anew) != 0)
                abort();
            write_at(file.journal, &anew, sizeof anew, 0);
            keep(&file, file.size, 0);
        }
    }
    unlocked(&file);
}

#define SYNC(name)                              \
    EXPORT int name(int fd)                     \
    {                                           \
        REAL(name)                              \
        uint64_t end = before_sync(fd);         \
        int result = real_##name(fd);           \
        if (result == 0)                        \
            after_sync(fd, end);                \
        return result;                          \
    }
SYNC(fsync)
SYNC(fdatasync)
