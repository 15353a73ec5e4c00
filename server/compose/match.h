/* What an object's colour is matched by: its pixels and the context under its
 * box, measured in a pass of their own before the sample is rendered. Writes no
 * pixel of the sample. Threads: as its render. */
#ifndef PASTED_COMPOSE_MATCH_H
#define PASTED_COMPOSE_MATCH_H

#include "server/compose/render.h"

/* After render_init and, where there is one, stage_run; before the first row:
 * sets has_match and match where the plan asks for them. */
void match_run(struct render *r);

#endif
