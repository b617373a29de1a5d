/* SPDX-License-Identifier: MIT */
/*
 * events.h - the events feed (GET /api/v1/events): what the supervisor reports, as JSON.
 */
#ifndef DOZE_DAEMON_EVENTS_H
#define DOZE_DAEMON_EVENTS_H

#include "daemon/feed.h"
#include "supervisor/supervisor.h"

/* Topics of the feed. Messages of TRANSITIONS have a struct instance_transition as subject and
 * also belong to INSTANCES, as does the progress of a load; LIVE is for ?live=true. */
enum { EVENT_TOPIC_INSTANCES = 1, EVENT_TOPIC_LIVE = 2, EVENT_TOPIC_TRANSITIONS = 4 };

/* "instance", remembered. */
void events_publish_transition(struct feed *events,
                               const struct instance_transition *transition);
/* "parked", remembered. */
void events_publish_parked(struct feed *events, const struct parked_event *event);
/* "progress" */
void events_publish_progress(struct feed *events, const struct instance_progress *progress);

/* Append {"seq","at","instances":[...]}: all instances, as of the event number seq. */
void events_format_snapshot(struct supervisor *sup, uint64_t seq, struct buf *out);
/* Append {"at","memory":{...},"instances":[as listed, with "work", "context_used",
 * "tokens_per_second"],"parked":[...]}. Measures the speeds. */
void events_format_status(struct supervisor *sup, struct buf *out);

#endif
