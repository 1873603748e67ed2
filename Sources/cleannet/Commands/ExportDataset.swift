import ArgumentParser
import Datasets
import Pipeline
import Report
import Workspace

struct ExportDataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset", abstract: "Write the cleaned data set.",
    discussion: """
      The format is `source` (the imported one) or one of \
      \(DatasetReader.writableFormats.map { $0.name }.joined(separator: ", ")). Images with wrong labels are dropped, \
      relabelled or kept. Images are linked; images from archives are copied. Splits stay as they are. An existing data \
      set is never overwritten.
      """)

  /// The names that `--format` takes.
  static let formats = [DatasetExport.sourceFormat] + DatasetReader.writableFormats.map { $0.name }

  @Option(help: "source, or a data set's format.")
  var format = DatasetExport.sourceFormat
  @Option(help: "The folder or file. It must not be there yet.", completion: .directory)
  var out: String
  @OptionGroup var cleaning: CleaningOptions
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    guard Self.formats.contains(format) else {
      throw ValidationError(
        "There is no format \(format). Formats are \(Self.formats.joined(separator: ", ")).")
    }
    try cleaning.check(format)
    if out == "-" { throw ValidationError("A data set needs a folder or file: --out.") }
  }

  func run() throws { try cleaning.write(workspace.open(), format, to: out, compute, workspace) }
}

/// Options for the images and labels of a written data set.
struct CleaningOptions: ParsableArguments {
  @Option(help: "Drop (default), relabel or keep images with wrong labels.")
  var wrong: DatasetExport.Wrong?
  @Option(help: "Place images by symlink (default), hardlink or copy.")
  var images: ImageTransfer?
  @Option(
    help:
      "Add a column `weight`, soft or hard: in manifest, url-list, hf-image-folder, webdataset, parquet. For arrays: their kind."
  )
  var weights: WeightKind?
  @Option(help: "Images per WebDataset shard (default: 5000).")
  var shardSize: Int?
  @Option(
    help:
      "duplicates: keep one of the images of a split that look the same. leaks: leave out images that are also in the test or validation split. Comma-separated."
  )
  var without: String?

  private var left: Set<Without> {
    get throws {
      Set(
        try (without ?? "").split(separator: ",").map { name in
          guard let one = Without(rawValue: String(name)) else {
            throw ValidationError("--without takes duplicates and leaks, not \(name).")
          }
          return one
        })
    }
  }

  func validate() throws {
    if let shardSize, shardSize <= 0 { throw ValidationError("--shard-size must be at least 1.") }
    _ = try left
  }

  /// Refuses what would do nothing for another kind of export.
  func refuse(in kind: String, weightsToo: Bool) throws {
    let given = [
      ("--wrong", wrong != nil), ("--images", images != nil), ("--shard-size", shardSize != nil),
      ("--without", without != nil), ("--weights", weightsToo && weights != nil),
    ].filter(\.1).map(\.0)
    guard given.isEmpty else {
      throw ValidationError(
        "\(given.joined(separator: ", ")) would do nothing here: this writes \(kind). See `cleannet export dataset --help`."
      )
    }
  }

  /// Refuses what would do nothing in a format.
  func check(_ format: String) throws {
    if shardSize != nil, format != WebDataset.name, format != DatasetExport.sourceFormat {
      throw ValidationError("--shard-size would do nothing: \(format) has no shards; webdataset has.")
    }
    let withoutImages = [Manifest.name, URLList.name, CleanNetTable.name]
    if images != nil, withoutImages.contains(format) {
      throw ValidationError("--images would do nothing: \(format) names images where they are.")
    }
    let copied = [TarImages.name, ZipImages.name, WebDataset.name, Parquet.name, CIFAR.name, IDXFolder.name]
    if let images, images != .copy, copied.contains(format) {
      throw ValidationError("--images \(images.rawValue) would do nothing: images are copied into \(format).")
    }
  }

  func write(
    _ store: Workspace, _ format: String, to out: String, _ compute: ThreadOptions,
    _ workspace: WorkspaceOptions
  ) throws {
    var export = DatasetExport(format: format)
    export.wrong = wrong ?? .drop
    export.images = images ?? .symlink
    export.weights = weights
    export.shardSize = shardSize ?? export.shardSize
    export.without = try left
    let progress = workspace.output.progress
    if !export.without.isEmpty {
      try compute.prepareEngine()
      var copies = ImageCopies()
      copies.threads = compute.threads
      export.copies = try copies.groups(store, features: StageProducts.features(store)?.source) { event in
        switch event {
        case .began(let stage, let total, let unit): progress.begin(stage, total: total, unit: unit)
        case .reached(let done): progress.update(done)
        case .ended(let note): progress.end(note)
        }
      }
    }
    progress.begin("Writing \(out)", total: try store.sampleCount(), unit: "images")
    let outcome = try export.write(store, to: out) { progress.update($0) }
    progress.end("\(outcome.written) images")
    for notice in outcome.notices { progress.warn(notice) }
    try workspace.output.print(outcome) {
      "\(outcome.written) images written to \(out) (\(outcome.format)); \(outcome.dropped) dropped, "
        + "\(outcome.relabelled) relabelled."
        + (outcome.copies > 0 ? " \(outcome.copies) of the dropped images look the same as others." : "")
        + (outcome.unknown > 0 ? " \(outcome.unknown) without a score were kept." : "")
    }
  }
}
