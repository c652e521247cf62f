/* stage.h - stage one with another policy: fit-list, fit-tree, fit-tlsf.
 *
 * Against global/stage.h: nothing but where free blocks wait. Make compiles
 * it with -DMM_FIT='"mm/engine/fit_list.h"' and so on; the policy gives the
 * name. */
#ifndef MM_FIT_STAGE_H
#define MM_FIT_STAGE_H

#include "mm/global/stage.h"

#undef STAGE_NAME
#undef STAGE_SUMMARY
#define STAGE_NAME FIT_NAME
#define STAGE_SUMMARY FIT_SUMMARY

#endif
