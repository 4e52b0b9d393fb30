/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * What is used of libtracefs, whose header (1.6) a C++ compiler refuses.
 * The names are those of the library, with tracing_ for tracefs_.
 */
#ifndef SIW_TOOLS_SIW_TRACE_TRACING_H_
#define SIW_TOOLS_SIW_TRACE_TRACING_H_

#ifdef __cplusplus
extern "C" {
#endif

struct tracefs_instance;

const char* tracing_dir(void);
struct tracefs_instance* tracing_instance_create(const char* name);
/* Removes it and frees it. */
void tracing_instance_destroy(struct tracefs_instance* instance);
int tracing_file_write(struct tracefs_instance* instance, const char* file,
                       const char* text);
int tracing_file_open(struct tracefs_instance* instance, const char* file,
                      int flags);
int tracing_event_file_exists(struct tracefs_instance* instance,
                              const char* system, const char* event,
                              const char* file);
int tracing_event_file_write(struct tracefs_instance* instance,
                             const char* system, const char* event,
                             const char* file, const char* text);
/* A list that ends with a null pointer, or one. */
char** tracing_instances(const char* regex);
void tracing_list_free(char** list);

#ifdef __cplusplus
}
#endif

#endif /* SIW_TOOLS_SIW_TRACE_TRACING_H_ */
