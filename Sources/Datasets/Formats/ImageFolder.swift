/// `<root>/<class>/<anything>.jpg`, also nested below the class, also with `train`, `val` and `test` above or below the
/// classes, also with folders around all of it. `LevelFinder` tells which folders are the classes.
package struct ImageFolder: DatasetFormat {
  package static let name = "image-folder"
  package static let summary =
    "one folder per class, with images in it (also train/, val/, test/ above the classes)"

  package static let classesAreFolders = true

  package static let takes: Set<DatasetOption> = DatasetOption.ofFolders

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    source.isFolder
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let root = source.absolutePath
    let layout = try ClassLayout(options: options, source: source.path, tables: source.tables) {
      FolderTree(root: root)
    }
    let log = ProblemLog()
    let notices = NoticeLog()
    var count = 0
    let walk = FolderWalk(root: root, branchDepth: layout.branchDepth, log: log, notices: notices)
    try walk.files { path, isImage in
      guard isImage else {
        notices.add("skipped files that are not images", path)
        return
      }
      let file = joined(root, path)
      guard let sample = layout.sample(path: path, location: .file(file), source: file) else {
        notices.add("skipped images outside the classes' folders", path)
        return
      }
      count += 1
      try each(sample)
    }
    try log.throwIfAny()
    if count == 0 {
      throw DatasetProblems(
        DatasetProblem(
          file: source.path, what: "holds no image in a class's folder",
          remedy: "Lay images out as <class>/<name>.jpg, or import a manifest"))
    }
    var summary = DatasetSummary(samples: count, notices: layout.notices + notices.notices)
    summary.guesses = layout.guesses
    return summary
  }
}
