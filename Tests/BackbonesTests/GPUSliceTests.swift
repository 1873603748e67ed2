import Testing
import Torch

@testable import Backbones

/// How many images are computed at once where memory is too small for all.
struct GPUSliceTests {
  @Test func slicesAreHalvedUntilTheyFitAndStaySo() throws {
    let slices = GPUSlices(.cpu, most: 16, size: 32)
    #expect(slices.count == 16)
    var tried: [Int] = []
    func compute(_ count: Int) -> Tensor? {
      slices.compute(.ones([count, 2])) { images in
        tried.append(images.size(0))
        // More than four images take more bytes than any machine has.
        return images.size(0) > 4 ? .zeros([1 << 46]) : images.sum(dim: 1)
      }
    }
    while slices.count > 4 { #expect(compute(slices.count) == nil) }
    let result = try #require(compute(slices.count))
    #expect(result.floats() == [2, 2, 2, 2])
    #expect(tried == [16, 8, 4])
  }

  @Test func featuresAreThoseOfAllImagesWhateverTheSlices() {
    struct Sums: FeatureNetwork {
      let name = "sums"
      let featureDimension = 3
      let inputSize = 4
      let dtype = DType.float32
      let gpu = GPUSlices(.cpu, most: 8, size: 4)

      func features(_ pixels: Tensor) -> Tensor {
        bySlices(pixels, of: 1, on: gpu) { images in
          images.size(0) > 2 ? .zeros([1 << 46]) : images.to(.float32).sum(dim: 1).sum(dim: 1)
        }
      }
    }
    let pixels = Generator(seed: 1).integers(below: 256, count: 7 * 4 * 4 * 3).to(.uint8).reshaped([
      7, 4, 4, 3,
    ])
    let expected = pixels.to(.float32).sum(dim: 1).sum(dim: 1)
    let network = Sums()
    #expect(network.features(pixels).floats() == expected.floats())
    #expect(network.gpu.count == 2)
  }
}
