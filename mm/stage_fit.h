/* stage_fit.h - stage one with another policy: fit-list, fit-tree, fit-tlsf.
 *
 * Against stage_global.h: nothing but where free blocks wait. Make compiles it
 * with -DMM_FIT='"mm/fit_list.h"' and so on; the policy gives the name. */
#ifndef MM_STAGE_FIT_H
#define MM_STAGE_FIT_H

#include "mm/stage_global.h"

#undef STAGE_NAME
#undef STAGE_SUMMARY
#define STAGE_NAME FIT_NAME
#define STAGE_SUMMARY FIT_SUMMARY

#endif
