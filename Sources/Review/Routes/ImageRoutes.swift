import HTTPTypes
import Hummingbird
import Images
import NIOCore
import Workspace

/// Images, by their numbers only: no text from a browser ever becomes a path.
struct ImageRoutes: Sendable {
  let desk: Desk
  let cache: ThumbnailCache

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("images/:pictures/:image/:side", use: image)
  }

  @Sendable private func image(_ request: Request, _ context: ReviewContext) async throws -> Response {
    let number = try context.number("image")
    let side = try context.number("side")
    // A page that was loaded from another server under this address must not show our images as its own.
    guard context.parameters.get("pictures") == desk.pictures, ThumbnailCache.sides.contains(side) else {
      throw HTTPError(.notFound)
    }
    let workspace = desk.workspace
    let cache = cache
    do {
      let jpeg = try await Blocking.decode { () throws -> [UInt8]? in
        guard let sample = try workspace.sample(number) else { return nil }
        return try cache.jpeg(of: sample, side: side)
      }
      guard let jpeg else { throw HTTPError(.notFound) }
      return Response(
        status: .ok,
        headers: [.contentType: "image/jpeg", .cacheControl: "private, max-age=3600"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: jpeg)))
    } catch let problem as ImageProblem {
      try await desk.cannotShow(number, problem)
      // Without the path, which is nobody's business but the terminal's.
      throw HTTPError(.unprocessableContent, message: problem.explanation)
    }
  }
}
