/* Versions of the program and of its bytes. */
#ifndef PASTED_BASE_VERSION_H
#define PASTED_BASE_VERSION_H

/* PASTED_VERSION_TEXT is the version of CMakeLists.txt; the Python package has
 * the same in its pyproject.toml. */
#ifndef PASTED_VERSION_TEXT
#error "the build gives the version"
#endif

/* Raised on purpose whenever the bytes of any sample change: it is part of
 * every fingerprint (ARCHITECTURE.md: sample = f(fingerprint, position)). */
#define ENGINE_VERSION 1

#endif
