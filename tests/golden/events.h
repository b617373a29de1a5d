/* SPDX-License-Identifier: MIT */
/* events.h - service events from a line of JSON each, for tests. */
#ifndef DOZE_TESTS_EVENTS_H
#define DOZE_TESTS_EVENTS_H

#include "api/service.h"

enum { EVENT_MAX_FLOATS = 64 };

/* An event and what it borrows; the strings live as long as the document. */
struct event_line {
    int index; /* of the request it belongs to */
    struct service_event event;
    struct service_instance instance;
    struct error error;
    float vector[EVENT_MAX_FLOATS];
};

/* {"event":"delta","index":0,"content":"...", ...}: fields as in service.h. Fails the test if
 * there is no such event. The struct must stay where it is while the event is used. */
void event_read(yyjson_val *line, struct event_line *ret);

#endif
