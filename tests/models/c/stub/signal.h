/* signal.h - no signals here. */
#ifndef STUB_SIGNAL_H
#define STUB_SIGNAL_H

#define SIG_BLOCK 0
#define SIG_SETMASK 2

#endif
