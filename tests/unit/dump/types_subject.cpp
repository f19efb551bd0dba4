// SPDX-License-Identifier: GPL-2.0
// Types by the names that a kernel's have, for this program's own debug information.
#include "types_subject.hpp"

// NOLINTBEGIN(readability-identifier-naming,misc-use-internal-linkage): the kernel's names, in no namespace
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
    long watermark;
    long free_area[11];
};

struct node;

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

enum pageflags { PG_locked, PG_lru = 4 };

extern "C" {
extern const char linux_banner[];
const char linux_banner[] = "Linux version 6.1.0-synthetic (nobody@nowhere)";
}

list types_of_variables{.first = nullptr, .name = {}, .text = nullptr, .balance = 0};
// NOLINTEND(readability-identifier-naming,misc-use-internal-linkage)

unsigned long types_subject(const void *data) {
    const auto *subject = static_cast<const page *>(data);
    const auto *other = static_cast<const zone *>(data);
    const pageflags flag = PG_lru;
    return subject->flags + subject->order + static_cast<unsigned long>(other->free_area[0]) + flag +
           static_cast<unsigned long>(linux_banner[0] == 'L' ? types_of_variables.balance : 1);
}
