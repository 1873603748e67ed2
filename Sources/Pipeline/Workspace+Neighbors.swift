import Torch
import Workspace

extension Workspace {
  /// Nearest neighbors in the folder `models/neighbors`: those searched last, under a hash of the vectors that they
  /// belong to.
  var neighborStore: NeighborStore { NeighborStore(folder: modelFolder(key: "neighbors")) }
}
