import Workspace

/// Describes the images that the page shows.
struct CardBuilder {
  let workspace: Workspace
  let table: LabelTable
  let inputs: ReportInputs

  func cards(_ data: ReportData) throws -> [ImageCard] {
    let galleries = data.suspicious + data.classes.flatMap { $0.suspicious + $0.borderline }
    let references = references(Set(galleries).sorted())
    var ids = Set(galleries)
    ids.formUnion(data.confusions.pairs.flatMap(\.examples))
    ids.formUnion(data.duplicates?.groups.flatMap(\.images) ?? [])
    ids.formUnion(data.checks?.checks.flatMap(\.images) ?? [])
    ids.formUnion((data.outliers ?? []) + (data.ambiguous ?? []))
    ids.formUnion(data.comparison?.agreement?.examples.map(\.image) ?? [])
    ids.formUnion(references.values.flatMap { $0.map(\.image) })
    return try ids.sorted().compactMap { id in
      try workspace.sample(id).map { card($0, references[id] ?? []) }
    }
  }

  private func card(_ sample: StoredSample, _ references: [ImageCard.Reference]) -> ImageCard {
    let id = sample.id
    return ImageCard(
      id: id, key: sample.key, path: sample.path, split: sample.split, label: sample.label,
      suggestion: table.suggestions[id] < 0 ? nil : Int(table.suggestions[id]),
      probability: Double(table.probability[id]).rounded(to: 4),
      cosine: Double(table.cosine[id]).rounded(to: 4), isWrong: table.isWrong[id],
      verification: table.verdicts[id], references: references, hasThumbnail: false)
  }

  private func references(_ ids: [Int]) -> [Int: [ImageCard.Reference]] {
    guard let model = inputs.model, let features = inputs.features,
      model.featureDimension == features.dimension, model.references.classes == table.classNames.count
    else { return [:] }
    let finder = ReferenceFinder(model: model, features: features, table: table)
    return finder.references(
      ids.map { id in
        let suggestion = Int(table.suggestions[id])
        let label = table.labels[id]
        return (id, suggestion == label ? [label] : [label, suggestion])
      })
  }
}
