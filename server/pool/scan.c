/* What lies in a folder, and the class of each image by where it lies. Does not
 * open the images.
 *
 * The walk is a list of folders, not a recursion: each remembers its parent, so
 * that a link back to a folder on the way is seen. */
#include "server/pool/scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/mem.h"

#define MAX_PATH_BYTES 4096

struct folder {
    char *path; /* from root; "" for root itself */
    uint32_t parent, depth;
    dev_t device;
    ino_t inode;
};

struct walk {
    const char *root;
    const struct pool_limits *limits;
    struct pool_entries *list;
    struct fault *fault;
    struct folder *folders;
    uint32_t n_folders, capacity;
};

enum file_kind { FILE_OTHER, FILE_IMAGE, FILE_UNREAD_IMAGE };

static enum file_kind kind_of(const char *name)
{
    static const char *const UNREAD[] = {
        "gif",  "webp", "bmp", "tif", "tiff", "heic", "heif",
        "avif", "jp2",  "jxl", "ppm", "pgm",  "pnm",  "tga",
    };
    const char *dot = strrchr(name, '.');

    if (!dot)
        return FILE_OTHER;
    if (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") ||
        !strcasecmp(dot, ".jpeg"))
        return FILE_IMAGE;
    for (size_t i = 0; i < sizeof(UNREAD) / sizeof(UNREAD[0]); i++)
        if (!strcasecmp(dot + 1, UNREAD[i]))
            return FILE_UNREAD_IMAGE;
    return FILE_OTHER;
}

/* "A/B", or the one that is not empty. False when it does not fit. */
static bool join(char out[MAX_PATH_BYTES], const char *a, const char *b)
{
    const int n =
        snprintf(out, MAX_PATH_BYTES, "%s%s%s", a, *a && *b ? "/" : "", b);

    return n >= 0 && n < MAX_PATH_BYTES;
}

/* Adds an entry for name (from root), with a problem unless that is NULL. */
static int add(struct walk *w, const char *name, const char *problem)
{
    char path[MAX_PATH_BYTES];
    struct pool_entry *e;
    int code;

    if (!join(path, w->root, name))
        problem = "a path of more than 4095 bytes";
    code = pool_entries_add(w->list, name, path, w->limits->max_files, &e,
                            w->fault);
    if (!code && problem)
        code = pool_entry_set(&e->problem, problem, w->fault);
    return code;
}

static bool is_loop(const struct walk *w, uint32_t parent,
                    const struct stat *st)
{
    for (uint32_t i = parent;; i = w->folders[i].parent) {
        if (w->folders[i].device == st->st_dev &&
            w->folders[i].inode == st->st_ino)
            return true;
        if (i == 0)
            return false;
    }
}

static int push(struct walk *w, const char *path, uint32_t parent,
                uint32_t depth, const struct stat *st)
{
    if (w->n_folders == w->capacity) {
        const uint32_t capacity = w->capacity ? 2 * w->capacity : 16;
        struct folder *folders =
            mem_realloc(w->folders, (size_t)capacity * sizeof(*folders));

        if (!folders)
            return fault_set(w->fault, ERROR_NO_MEMORY,
                             "no memory to list folders");
        w->folders = folders;
        w->capacity = capacity;
    }
    struct folder *f = &w->folders[w->n_folders];

    f->path = mem_strdup(path);
    if (!f->path)
        return fault_set(w->fault, ERROR_NO_MEMORY,
                         "no memory to list folders");
    f->parent = parent;
    f->depth = depth;
    f->device = st->st_dev;
    f->inode = st->st_ino;
    w->n_folders++;
    return 0;
}

static int visit_folder(struct walk *w, const char *path, uint32_t parent,
                        const struct stat *st)
{
    const uint32_t depth = w->folders[parent].depth + 1;

    if (is_loop(w, parent, st))
        return add(w, path, "a link back to a folder that holds it");
    if (depth > w->limits->max_depth)
        return add(w, path, "lies in too many folders");
    if (w->n_folders >= w->limits->max_files)
        return fault_set(w->fault, ERROR_TOO_LARGE,
                         "more folders than the limit of %u",
                         w->limits->max_files);
    return push(w, path, parent, depth, st);
}

static int visit(struct walk *w, uint32_t folder, int dir_fd, const char *name)
{
    const char *base = w->folders[folder].path;
    const enum file_kind kind = kind_of(name);
    char path[MAX_PATH_BYTES];
    struct stat st;

    if (!join(path, base, name))
        return add(w, base, "holds a path of more than 4095 bytes");
    if (fstatat(dir_fd, name, &st, 0))
        return kind == FILE_OTHER ? 0 : add(w, path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return visit_folder(w, path, folder, &st);
    if (kind == FILE_IMAGE)
        return add(w, path, S_ISREG(st.st_mode) ? NULL : "not a regular file");
    if (kind == FILE_UNREAD_IMAGE)
        return add(w, path, "only PNG and JPEG are read");
    return 0;
}

static int list_folder(struct walk *w, uint32_t folder)
{
    char path[MAX_PATH_BYTES];
    int code = 0;

    errno = ENAMETOOLONG;
    DIR *dir =
        join(path, w->root, w->folders[folder].path) ? opendir(path) : NULL;
    if (!dir)
        return add(w, w->folders[folder].path, strerror(errno));
    for (;;) {
        errno = 0;
        const struct dirent *d = readdir(dir);

        if (!d)
            break;
        if (d->d_name[0] != '.')
            code = visit(w, folder, dirfd(dir), d->d_name);
        if (code)
            break;
    }
    if (!code && errno)
        code = add(w, w->folders[folder].path, strerror(errno));
    closedir(dir);
    return code;
}

int scan_folder(const char *root, const struct pool_limits *limits,
                struct pool_entries *list, struct fault *fault)
{
    struct walk w = {
        .root = root, .limits = limits, .list = list, .fault = fault};
    struct stat st;
    int code;

    if (strlen(root) + 2 > MAX_PATH_BYTES || stat(root, &st) ||
        !S_ISDIR(st.st_mode))
        return fault_set(fault, ERROR_NOT_FOUND, "%s: no such folder", root);
    code = push(&w, "", 0, 0, &st);
    for (uint32_t i = 0; !code && i < w.n_folders; i++)
        code = list_folder(&w, i);
    for (uint32_t i = 0; i < w.n_folders; i++)
        mem_free(w.folders[i].path);
    mem_free(w.folders);
    if (code)
        return fault_prefix(fault, "%s", root);
    pool_entries_sort(list);
    return 0;
}

/* The last component without its extension, into out. */
static void stem_of(const char *name, char *out, size_t out_bytes)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *dot = strrchr(base, '.');

    snprintf(out, out_bytes, "%.*s", dot ? (int)(dot - base) : 4095, base);
}

static bool is_mask(const struct pool_entry *e)
{
    char stem[MAX_PATH_BYTES];

    stem_of(e->name, stem, sizeof(stem));
    const size_t n = strlen(stem);

    return n > 5 &&
           (!strcmp(stem + n - 5, ".mask") || !strcmp(stem + n - 5, "_mask"));
}

int scan_find_mask(struct pool_entry *e, struct fault *fault)
{
    static const char *const ENDINGS[] = {".mask.png", "_mask.png"};
    const char *slash = strrchr(e->path, '/');
    const char *dot = strrchr(slash ? slash : e->path, '.');
    const int n = dot ? (int)(dot - e->path) : (int)strlen(e->path);
    char path[MAX_PATH_BYTES];

    for (int i = 0; i < 2; i++) {
        if (snprintf(path, sizeof(path), "%.*s%s", n, e->path, ENDINGS[i]) <
                (int)sizeof(path) &&
            access(path, F_OK) == 0)
            return pool_entry_set(&e->mask_path, path, fault);
    }
    return pool_entry_set(&e->problem,
                          "has no mask beside it (NAME.mask.png or "
                          "NAME_mask.png)",
                          fault);
}

static void drop_masks(struct pool_entries *list)
{
    uint32_t n_kept = 0;

    for (uint32_t i = 0; i < list->n; i++) {
        struct pool_entry e = list->at[i];

        if (is_mask(&e))
            pool_entry_fini(&e);
        else
            list->at[n_kept++] = e;
    }
    list->n = n_kept;
}

static int set_class(struct pool_entry *e, bool by_folder, struct fault *fault)
{
    char name[MAX_PATH_BYTES];
    const char *slash = strchr(e->name, '/');

    if (!by_folder)
        stem_of(e->name, name, sizeof(name));
    else if (slash)
        snprintf(name, sizeof(name), "%.*s", (int)(slash - e->name), e->name);
    else if (!e->problem)
        return pool_entry_set(
            &e->problem, "lies beside the class folders, not in one", fault);
    else
        return 0;
    return pool_entry_set(&e->class_name, name, fault);
}

int scan_objects(const char *root, enum pool_matte matte,
                 const struct pool_limits *limits, struct pool_entries *list,
                 struct fault *fault)
{
    const bool masked =
        matte == POOL_MATTE_MASK || matte == POOL_MATTE_MASK_INVERTED;
    bool by_folder = false;
    int code = scan_folder(root, limits, list, fault);

    if (code)
        return code;
    if (masked)
        drop_masks(list);
    for (uint32_t i = 0; i < list->n; i++)
        by_folder |= !list->at[i].problem && strchr(list->at[i].name, '/');
    for (uint32_t i = 0; !code && i < list->n; i++) {
        struct pool_entry *e = &list->at[i];

        e->matte = matte;
        code = set_class(e, by_folder, fault);
        if (!code && masked && !e->problem)
            code = scan_find_mask(e, fault);
    }
    if (!code)
        pool_entries_sort(list);
    return code;
}
