import Foundation

/// How the threads of libraries wait for work: asleep. By default they spin for a while, which takes the processor from
/// whoever has work, in this program or beside it.
///
/// Libraries read these settings while they are loaded, so they are made before the first one is opened. The user's own
/// settings stand.
enum WaitingThreads {
  static func sleep() { asleep }

  private static let asleep: Void = {
    // OpenMP (libgomp), which libtorch and libvips bring along. Beside other programs training and scoring are some eight
    // times faster so.
    setenv("OMP_WAIT_POLICY", "passive", 0)
    // Some microseconds of spinning before that: between two short steps of training, sleep costs a tenth of the speed.
    setenv("GOMP_SPINCOUNT", "10000", 0)
    // OpenBLAS: 2^n ticks of the processor's clock until a waiting thread sleeps. Its default of 26, tens of
    // milliseconds, costs a fifth of the steps of training on two cores; from 4 to 18 all are alike.
    setenv("OPENBLAS_THREAD_TIMEOUT", "10", 0)
  }()
}
