// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/report/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

namespace siw::report {
namespace {

using Archive = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

bool Put(archive* out, const std::string& directory, time_t time,
         const Item& item) {
  const Entry entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(entry.get(),
                             (directory + "/" + item.name).c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), time, 0);
  archive_entry_set_size(entry.get(),
                         static_cast<la_int64_t>(item.text.size()));
  return archive_write_header(out, entry.get()) == ARCHIVE_OK &&
         archive_write_data(out, item.text.data(), item.text.size()) ==
             static_cast<la_ssize_t>(item.text.size());
}

bool PutAll(archive* out, int fd, const std::string& directory, time_t time,
            const std::vector<Item>& items) {
  if (archive_write_set_format_ustar(out) != ARCHIVE_OK ||
      archive_write_add_filter_gzip(out) != ARCHIVE_OK ||
      archive_write_open_fd(out, fd) != ARCHIVE_OK)
    return false;
  for (const Item& item : items) {
    if (!Put(out, directory, time, item)) return false;
  }
  return archive_write_close(out) == ARCHIVE_OK;
}

}  // namespace

Status WriteArchive(const std::string& path, const std::string& directory,
                    time_t time, const std::vector<Item>& items) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);
  if (fd < 0) return ErrnoError(path);
  const Archive out(archive_write_new(), archive_write_free);
  Status status = Done{};
  if (!PutAll(out.get(), fd, directory, time, items)) {
    const char* why = archive_error_string(out.get());
    status =
        Error{fmt::format("{}: {}", path, why ? why : "cannot be written")};
  }
  if (close(fd) < 0 && status) status = ErrnoError(path);
  if (!status) unlink(path.c_str());
  return status;
}

}  // namespace siw::report
