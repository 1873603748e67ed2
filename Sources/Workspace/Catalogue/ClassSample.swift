/// The images of one class that were drawn at random and answered: the share of wrong labels among them is
/// representative of the class.
///
/// Two kinds of images belong to it. First, the longest beginning of the class's ``DrawOrder`` whose images have all been
/// answered, by whatever route: an image that a suspect's view or a second opinion has answered keeps its place. The
/// beginning ends with the last image that was handed out as the next one of the order, because how far suspects alone
/// would carry it depends on their labels. Second, images of which somebody has declared that they were drawn at random.
///
/// All images of the class are equally likely to be in the sample. An answer "unsure" is an answer: leaving such images
/// out would leave out the hard ones.
public struct ClassSample: Sendable, Hashable {
  /// The class.
  public var label: Int
  /// How many images of the class could have been drawn: all but the images of the split `test` and images that cannot
  /// be shown.
  public var images: Int
  /// The images drawn, in the order of drawing, declared ones last.
  public var drawn: [Int]

  /// - Parameters:
  ///   - members: Images of the class that can be drawn: at least those drawn no later than the last answered one.
  ///   - images: How many there are in all.
  ///   - answer: The current answer on an image.
  init(
    label: Int, members: some Sequence<Int>, images: Int, order: DrawOrder,
    answer: (Int) -> CurrentAnswer?
  ) {
    self.label = label
    self.images = images
    let members = order.sorted(members)
    func given(_ sample: Int) -> CurrentAnswer? {
      answer(sample).flatMap { $0.origin == .accepted ? nil : $0 }
    }
    let last = members.lastIndex { given($0)?.wasDrawn == true }
    var beginning = members.prefix(last.map { $0 + 1 } ?? 0).prefix { given($0) != nil }
    // Drawing stopped with an image that nobody had answered before. Where some before it were answered already, that
    // makes the last image special, and the share of the others is fair without it (inverse sampling, Haldane 1945).
    if beginning.count == last.map({ $0 + 1 }), beginning.contains(where: { given($0)?.wasDrawn != true }) {
      beginning.removeLast()
    }
    let declared = members[beginning.endIndex...].filter { given($0)?.isDeclared == true }
    drawn = beginning + declared
  }

  /// The sample of a class whose answers are at hand.
  ///
  /// - Parameters:
  ///   - members: The images of the class that can be drawn.
  ///   - answer: The current answer on an image, if anybody has said something.
  package init(label: Int, members: [Int], order: DrawOrder, answer: (Int) -> CurrentAnswer?) {
    self.init(label: label, members: members, images: members.count, order: order, answer: answer)
  }
}
