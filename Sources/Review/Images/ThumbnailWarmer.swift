import Workspace

/// Makes thumbnails before they are asked for, one at a time, so that requested ones find a free core.
actor ThumbnailWarmer {
  private let workspace: Workspace
  private let cache: ThumbnailCache
  private var waiting: [Int] = []
  private var isWorking = false
  private static let most = 480

  init(_ workspace: Workspace, _ cache: ThumbnailCache) {
    self.workspace = workspace
    self.cache = cache
  }

  /// The newest wishes come first; the oldest are forgotten when there are many.
  func warm(_ samples: [Int]) {
    waiting = Array((samples + waiting).prefix(Self.most))
    guard !isWorking else { return }
    isWorking = true
    Task(priority: .utility) { await work() }
  }

  /// Forgets all wishes.
  func rest() { waiting = [] }

  private func work() async {
    while !waiting.isEmpty {
      let sample = waiting.removeFirst()
      let workspace = workspace
      let cache = cache
      // An image that cannot be decoded says so when it is shown.
      try? await Blocking.decode {
        guard let stored = try workspace.sample(sample),
          !cache.isKept(stored, side: ThumbnailCache.sides[0])
        else { return }
        _ = try cache.jpeg(of: stored, side: ThumbnailCache.sides[0])
      }
    }
    isWorking = false
  }
}
