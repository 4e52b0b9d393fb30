// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/trace/tracing.h"

#include <tracefs.h>

const char* tracing_dir(void) { return tracefs_tracing_dir(); }

struct tracefs_instance* tracing_instance_create(const char* name) {
  return tracefs_instance_create(name);
}

void tracing_instance_destroy(struct tracefs_instance* instance) {
  tracefs_instance_destroy(instance);
  tracefs_instance_free(instance);
}

int tracing_file_write(struct tracefs_instance* instance, const char* file,
                       const char* text) {
  return tracefs_instance_file_write(instance, file, text);
}

int tracing_file_open(struct tracefs_instance* instance, const char* file,
                      int flags) {
  return tracefs_instance_file_open(instance, file, flags);
}

int tracing_event_file_exists(struct tracefs_instance* instance,
                              const char* system, const char* event,
                              const char* file) {
  return tracefs_event_file_exists(instance, system, event, file);
}

int tracing_event_file_write(struct tracefs_instance* instance,
                             const char* system, const char* event,
                             const char* file, const char* text) {
  return tracefs_event_file_write(instance, system, event, file, text);
}

char** tracing_instances(const char* regex) { return tracefs_instances(regex); }

void tracing_list_free(char** list) { tracefs_list_free(list); }
