import Foundation

/// Images that are only named: by a folder, a list, or one by one.
package enum ImageList {
  /// The image files that the paths stand for, in order: an image's own, images below a folder by their names' bytes,
  /// and images that a text file lists, one per line. Relative paths begin at that file's folder.
  ///
  /// - Throws: ``DatasetProblems`` naming each path that leads nowhere.
  package static func files(_ paths: [String]) throws -> [String] {
    let log = ProblemLog()
    var files: [String] = []
    for path in paths {
      let absolute = DatasetSource.absolute(path)
      var info = stat()
      guard stat(absolute, &info) == 0 else {
        log.add(path, "cannot be opened: \(errnoText())", "Check the path and its permissions")
        continue
      }
      if info.st_mode & S_IFMT == S_IFDIR {
        let walk = FolderWalk(root: absolute, branchDepth: 0, log: log, notices: NoticeLog())
        try walk.files { relative, isImage in if isImage { files.append("\(absolute)/\(relative)") } }
      } else if isList(absolute) {
        files += try listed(absolute, shown: path)
      } else {
        files.append(absolute)
      }
    }
    try log.throwIfAny()
    return files
  }

  private static func isList(_ path: String) -> Bool {
    let name = path.lowercased()
    return name.hasSuffix(".txt") || name.hasSuffix(".lst") || name.hasSuffix(".list")
  }

  private static func listed(_ path: String, shown: String) throws -> [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw DatasetProblems(
        DatasetProblem(
          file: shown, what: "is not UTF-8 text", remedy: "Write a list of image files, one per line"))
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    return text.split(whereSeparator: \.isNewline).map { line in
      line.hasPrefix("/") || line.hasPrefix("~") ? DatasetSource.absolute(String(line)) : "\(folder)/\(line)"
    }
  }
}
