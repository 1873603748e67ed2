import HTTPTypes
import Hummingbird
import Images
import NIOCore
import Workspace

/// Images, by their numbers only: no text from a browser ever becomes a path.
struct ImageRoutes: Sendable {
  let workspace: Workspace
  let cache: ThumbnailCache

  func add(to router: some RouterMethods<ReviewContext>) {
    router.get("images/:image/:side", use: image)
  }

  @Sendable private func image(_ request: Request, _ context: ReviewContext) async throws -> Response {
    let (number, side) = (try context.number("image"), try context.number("side"))
    guard ThumbnailCache.sides.contains(side) else { throw HTTPError(.notFound) }
    let (workspace, cache) = (workspace, cache)
    do {
      let jpeg = try await Blocking.decode { () throws -> [UInt8]? in
        guard let sample = try workspace.sample(number) else { return nil }
        return try cache.jpeg(of: sample, side: side)
      }
      guard let jpeg else { throw HTTPError(.notFound) }
      return Response(
        status: .ok,
        headers: [.contentType: "image/jpeg", .cacheControl: "private, max-age=86400, immutable"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: jpeg)))
    } catch let problem as ImageProblem {
      // Without the path, which is nobody's business but the terminal's.
      throw HTTPError(.unprocessableContent, message: problem.explanation)
    }
  }
}
