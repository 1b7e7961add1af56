#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The calls of the system that a download depends on; tests put failing ones in their place.
struct FileCalls: Sendable {
  var write: @Sendable (Int32, UnsafeRawPointer, Int) -> Int = { writeBytes($0, $1, $2) }
  var synchronize: @Sendable (Int32) -> Int32 = { fsync($0) }
  /// As `flock`.
  var lock: @Sendable (Int32, Int32) -> Int32 = { flock($0, $1) }
  /// Bytes that this user may still write at a path, asked of the nearest folder that exists; nil
  /// where the system does not say.
  var freeBytes: @Sendable (String) -> Int? = { path in
    var path = path
    var status = statvfs()
    while statvfs(path, &status) != 0 {
      guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
      path = String(path[..<slash])
    }
    let (bytes, overflow) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? Int.max : Int(clamping: bytes)
  }
}

private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

extension HubError {
  /// The last failed system call's reason, at `path`.
  static func system(_ path: String) -> HubError {
    .fileSystem(path: path, reason: String(cString: strerror(errno)))
  }
}

/// Makes a folder and those above it.
func makeFolder(_ path: String) throws(HubError) {
  if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
  guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
    throw .system(path)
  }
  try makeFolder(String(path[..<slash]))
  guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system(path) }
}

/// The folder that holds `path`.
func parentFolder(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
  return String(path[..<slash])
}

/// Waits until the names in the folder of `path` are on the disk.
func synchronizeFolder(of path: String) throws(HubError) {
  let descriptor = open(parentFolder(path), O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .system(path) }
  defer { close(descriptor) }
  // Some file systems have nothing to wait for.
  guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else { throw .system(path) }
}

/// The size of a regular file, links followed; nil where there is none.
func fileSize(_ path: String) -> Int? {
  var status = stat()
  guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
  return Int(status.st_size)
}

/// The first bytes of a small file, in one read; nil where it cannot be read.
func firstBytes(of path: String, atMost limit: Int, followsLinks: Bool = true) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW))
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var buffer = [UInt8](repeating: 0, count: limit)
  let got = read(descriptor, &buffer, limit)
  return got >= 0 ? Array(buffer.prefix(got)) : nil
}

/// Names in `folder`, sorted; none where there is no such folder, nil where it cannot be read.
func fileNames(in folder: String) -> [String]? {
  guard let directory = opendir(folder) else { return errno == ENOENT ? [] : nil }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}
