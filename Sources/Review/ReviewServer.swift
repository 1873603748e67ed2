import Foundation
import Hummingbird
import Images
import Logging
import NIOCore
import ServiceLifecycle
import Workspace

/// The page on which people verify, as a server.
package struct ReviewServer: Sendable {
  private let configuration: ReviewConfiguration
  private let sessions: Sessions
  private let hub = EventHub()
  private let rejudging: Rejudging
  package let responder: RouterResponder<ReviewContext>

  /// Reads what the workspace holds. Blocks.
  ///
  /// - Throws: `WorkspaceError` if it cannot be read, `VipsError` if there are images to show and no libvips, or what the
  ///   backend throws.
  package init(
    _ workspace: Workspace, backend: any ReviewBackend, configuration: ReviewConfiguration = .init()
  ) throws {
    if try workspace.hasImages() { try Vips.load() }
    self.configuration = configuration
    let folder = "\(workspace.path)/review"
    sessions = Sessions(file: "\(folder)/sessions.json")
    // Browsers keep one set of cookies for all ports of a host, so workspaces must not share a name.
    let cookie = "cleannet-\(StableHash.of(try workspace.identity()).prefix(12))"
    let cache = ThumbnailCache(
      folder: "\(folder)/thumbnails", limit: configuration.thumbnailBytes, workspace: workspace)
    try Desk.retryUnreadable(workspace, cache)
    let desk = try Desk(workspace, backend: backend, seed: configuration.seed)
    let retraining = Retraining(backend, hub: hub)
    rejudging = Rejudging(backend, desk: desk, hub: hub, rest: configuration.rest)

    let router = Router(context: ReviewContext.self)
    router.add(middleware: OriginMiddleware(hosts: AllowedHosts(configuration)))
    PageRoutes().add(to: router)
    EntryRoutes(sessions: sessions, cookie: cookie, pictures: { desk.pictures }).add(to: router)
    let inside = router.group("api").add(
      middleware: SessionMiddleware(sessions, cookie: cookie, rate: configuration.rate))
    ReviewerRoutes(
      sessions: sessions, keys: .init(file: configuration.keysFile ?? "\(folder)/keys.json"), desk: desk,
      hub: hub, workspace: cookie
    ).add(to: inside)
    let warmer = ThumbnailWarmer(workspace, cache)
    BrowseRoutes(desk: desk, retraining: retraining, warmer: warmer, glance: configuration.glance)
      .add(to: inside)
    ManyRoutes(desk: desk, warmer: warmer).add(to: inside)
    let map = ImageMap(backend)
    MapRoutes(desk: desk, map: map).add(to: inside)
    let copies = CopySearch(backend, file: "\(folder)/copies.json")
    CopyRoutes(desk: desk, search: copies, hub: hub, warmer: warmer).add(to: inside)
    VerdictRoutes(desk: desk, hub: hub, rejudging: rejudging).add(to: inside)
    MendRoutes(desk: desk).add(to: inside)
    PlanRoutes(desk: desk).add(to: inside)
    ImageRoutes(desk: desk, cache: cache).add(to: inside)
    RetrainingRoutes(desk: desk, retraining: retraining, hub: hub, rejudging: rejudging, map: map)
      .add(to: inside)
    responder = router.buildResponder()
  }

  /// A token that lets one browser in, once: the page's address followed by `#token=` and it.
  ///
  /// A person who enters by it may invite others.
  ///
  /// - Parameter person: The reviewer's name, which stays; empty if the page should ask.
  package func invite(_ person: String = "") -> String {
    // Only guests' invitations can run out.
    sessions.invite(.init(person: Sessions.personName(person) ?? "", isHost: true)) ?? ""
  }

  /// Serves until the task is cancelled; connections that are open then have a moment to end.
  ///
  /// - Parameter ready: Called with the port once the server listens.
  /// - Throws: If the address cannot be listened on.
  package func run(ready: @escaping @Sendable (Int) async -> Void) async throws {
    var configuration = ServiceGroupConfiguration(
      services: [Serving(application: application(ready: ready)), Beating(hub: hub, rejudging: rejudging)],
      logger: Self.logger)
    configuration.maximumGracefulShutdownDuration = .seconds(1)
    let group = ServiceGroup(configuration: configuration)
    // A server that is cancelled drops connections that it has accepted and not begun to serve, and NIO ends the program
    // for that. It is asked to stop instead, from a task that nobody cancels.
    let serving = Task { try await group.run() }
    try await withTaskCancellationHandler {
      try await serving.value
    } onCancel: {
      Task { await group.triggerGracefulShutdown() }
    }
  }

  private static let logger = {
    var logger = Logger(label: "review")
    logger.logLevel = .error
    return logger
  }()

  /// The application, as tests drive it.
  func application(ready: @escaping @Sendable (Int) async -> Void = { _ in }) -> some ApplicationProtocol {
    let connections = Connections(limit: configuration.connections)
    return Application(
      responder: responder,
      server: .http1(
        configuration: .init(additionalChannelHandlers: [ConnectionGuard(connections, configuration.limits)])),
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.address, port: configuration.port), serverName: nil),
      onServerRunning: { channel in await ready(channel.localAddress?.port ?? 0) }, logger: Self.logger)
  }
}

/// The HTTP server.
private struct Serving<App: ApplicationProtocol>: Service {
  let application: App

  func run() async throws { try await application.run() }
}

/// Tells pages the news until the server stops, and hangs up on them then.
private struct Beating: Service {
  let hub: EventHub
  let rejudging: Rejudging

  func run() async throws {
    // Verdicts that came from elsewhere since the last scoring count, too.
    await rejudging.note()
    try? await cancelWhenGracefulShutdown { try await hub.beat() }
    await hub.hangUp()
  }
}
