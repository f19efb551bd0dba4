/* SPDX-License-Identifier: GPL-2.0 */
/* linux/shrinker.h: since 6.7 the kernel allocates shrinkers, before that their users have them. */
#ifndef BALLAST_COMPAT_SHRINKER_H
#define BALLAST_COMPAT_SHRINKER_H

#include <linux/kernel.h>
#include <linux/errno.h>
#include <linux/shrinker.h>

typedef unsigned long (*compat_shrinker_fn)(struct shrinker *shrinker, struct shrink_control *sc);

#ifndef COMPAT_HAS_SHRINKER_ALLOC
struct compat_shrinker {
	struct shrinker shrinker;
	void *owner;
};

static inline void *compat_shrinker_owner(struct shrinker *shrinker)
{
	return container_of(shrinker, struct compat_shrinker, shrinker)->owner;
}

static inline int compat_shrinker_register(struct compat_shrinker *s, const char *name,
					   void *owner, compat_shrinker_fn count,
					   compat_shrinker_fn scan)
{
	s->owner = owner;
	s->shrinker.count_objects = count;
	s->shrinker.scan_objects = scan;
	s->shrinker.seeks = DEFAULT_SEEKS;
#ifdef COMPAT_HAS_SHRINKER_NAME
	return register_shrinker(&s->shrinker, "%s", name);
#else
	return register_shrinker(&s->shrinker);
#endif
}

static inline void compat_shrinker_unregister(struct compat_shrinker *s)
{
	unregister_shrinker(&s->shrinker);
}
#else
struct compat_shrinker {
	struct shrinker *shrinker;
};

static inline void *compat_shrinker_owner(struct shrinker *shrinker)
{
	return shrinker->private_data;
}

static inline int compat_shrinker_register(struct compat_shrinker *s, const char *name,
					   void *owner, compat_shrinker_fn count,
					   compat_shrinker_fn scan)
{
	s->shrinker = shrinker_alloc(0, "%s", name);
	if (!s->shrinker)
		return -ENOMEM;
	s->shrinker->private_data = owner;
	s->shrinker->count_objects = count;
	s->shrinker->scan_objects = scan;
	shrinker_register(s->shrinker);
	return 0;
}

static inline void compat_shrinker_unregister(struct compat_shrinker *s)
{
	shrinker_free(s->shrinker);
}
#endif
#endif
