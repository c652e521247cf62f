/* relax.h - no time passes here. */
#ifndef STUB_RELAX_H
#define STUB_RELAX_H

#define cpu_relax() ((void)0)

#endif
