// SPDX-License-Identifier: GPL-2.0
// Types by the names that a kernel's have, for this program's own debug information.
#include "types_subject.hpp"

// NOLINTBEGIN(readability-identifier-naming,misc-use-internal-linkage,cppcoreguidelines-avoid-non-const-global-variables):
// the kernel's names, in no namespace
struct page {
    unsigned long flags;
    union {
        unsigned long compound_head;
        void *lru[3];
    };
    union {
        void *mapping;
        unsigned char order;
    };
};

struct zone {
    long watermark[17];
    long free_area[11];
};

typedef struct { // NOLINT(modernize-use-using): as the kernel, which is C, names it
    unsigned long bits[16];
} nodemask_t;

struct node;

struct undefined;
typedef struct undefined undefined_t; // NOLINT(modernize-use-using): as the kernel

struct list {
    const node *first;
    char name[2][8];
    char *text;
    int balance;
};

struct node {
    node *next;
    list *owner;
};

struct large {
    char before[200];
    char after[200];
};

enum pageflags { PG_locked, PG_lru = 4, PG_far = 200 };
enum pagetype { PGTY_buddy = 0xf0, PGTY_none = -1 };

extern "C" {
extern const char linux_banner[];
const char linux_banner[] = "Linux version 6.1.0-synthetic (nobody@nowhere)";
}

const undefined_t *undefined_variable = nullptr;
list types_of_variables{.first = nullptr, .name = {}, .text = nullptr, .balance = 0};
// NOLINTEND(readability-identifier-naming,misc-use-internal-linkage,cppcoreguidelines-avoid-non-const-global-variables)

unsigned long types_subject(const void *data) {
    const auto *subject = static_cast<const page *>(data);
    const auto *other = static_cast<const zone *>(data);
    const auto *nodes = static_cast<const nodemask_t *>(data);
    const pageflags flag = PG_lru;
    const pagetype type = PGTY_buddy;
    const auto *far = static_cast<const large *>(data);
    return subject->flags + subject->order + nodes->bits[0] + static_cast<unsigned long>(other->free_area[0]) + flag +
           static_cast<unsigned char>(far->after[0]) + (type == PGTY_none ? 1 : 0) +
           static_cast<unsigned long>(linux_banner[0] == 'L' ? types_of_variables.balance : 1);
}
