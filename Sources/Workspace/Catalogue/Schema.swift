import GRDB

/// The tables of the catalogue. Migrations are only ever added, never changed.
enum Schema {
  /// Marks the database as ours ("CLNN").
  static let applicationID: Int32 = 0x434C_4E4E

  /// Brings a catalogue up to date.
  /// - Throws: `WorkspaceError` if a newer program wrote it or it is somebody else's database.
  ///
  /// - Parameter creating: Called before tables are made where there are none.
  static func prepare(_ pool: DatabasePool, path: String, creating: () throws -> Void) throws {
    let migrator = migrator
    switch try pool.read({ try state(of: $0, path: path) }) {
    case .empty:
      try creating()
      try migrator.migrate(pool)
    case .old: try migrator.migrate(pool)
    case .ready: break
    }
  }

  /// Makes sure that a catalogue that cannot be changed is as this program knows it.
  static func prepareForReading(_ reader: any DatabaseReader, path: String) throws {
    switch try reader.read({ try state(of: $0, path: path) }) {
    case .ready: break
    case .empty:
      throw WorkspaceError(
        .damaged, file: path, "is empty",
        remedy: "Restore a copy of it, or start a workspace elsewhere: cleannet import SOURCE --workspace DIR"
      )
    case .old:
      throw WorkspaceError(
        .cannotWrite, file: path, "was written by an earlier version and has to be brought up to date first",
        remedy: "Run cleannet status as somebody who may write it, or work on a copy")
    }
  }

  private enum State { case empty, old, ready }

  private static func state(of db: Database, path: String) throws -> State {
    // The list of migrations is made first, alone: a kill after it leaves a catalogue that holds nothing yet.
    let tables =
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM sqlite_schema WHERE tbl_name != 'grdb_migrations'") ?? 0
    if tables == 0 { return .empty }
    guard try Int32.fetchOne(db, sql: "PRAGMA application_id") == applicationID else {
      throw WorkspaceError(
        .invalidInput, file: path, "is a database of another program",
        remedy: "Name another folder with --workspace")
    }
    if try migrator.hasBeenSuperseded(db) {
      let writer = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'writer'")
      throw WorkspaceError(
        .newerVersion, file: path,
        "was written by cleannet \(writer ?? "of a later version"), newer than this "
          + "\(ProgramVersion.current)",
        remedy: "Update cleannet")
    }
    return try migrator.hasCompletedMigrations(db) ? .ready : .old
  }

  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 catalogue") { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: tables)
      try writer(db)
    }
    // correct: the class that the person says is right, with answer 0. chosen: why the image was shown; NULL if that
    // is not known.
    migrator.registerMigration("2 review") { db in
      try db.execute(
        sql: """
          ALTER TABLE verifications ADD COLUMN correct INTEGER;
          ALTER TABLE verifications ADD COLUMN chosen TEXT;
          """)
      try writer(db)
    }
    // The hashes of keys leave out upper and lower case.
    migrator.registerMigration("3 keys without case") { db in
      let hash = DatabaseFunction("keyHash", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).map { Int64(KeyHashes.hash($0)) }
      }
      db.add(function: hash)
      defer { db.remove(function: hash) }
      try db.execute(
        sql: """
          DELETE FROM sampleKeys;
          INSERT INTO sampleKeys SELECT keyHash(key), id FROM samples ORDER BY 1, 2;
          """)
      try writer(db)
    }
    // gone: when the sample left its source; it keeps its number, and takes part in nothing. parent: the source that an
    // update added samples to. inputs: what a run followed from, as JSON. sum: a hash of the row, to tell damage.
    migrator.registerMigration("4 artefacts") { db in
      try db.execute(
        sql: """
          ALTER TABLE samples ADD COLUMN gone REAL;
          ALTER TABLE sources ADD COLUMN parent INTEGER;
          ALTER TABLE runs ADD COLUMN inputs TEXT;
          ALTER TABLE runs ADD COLUMN sum INTEGER;
          ALTER TABLE verifications ADD COLUMN sum INTEGER;

          -- What all samples amount to; see SampleSums.
          CREATE TABLE sums (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

          -- Which image each row of a set of features was made of: its file's size and time, and a digest of its bytes.
          -- state: 0 it has features, 1 its bytes are no image, 2 it could not be reached. What has no entry is to be
          -- embedded. sum: of a term a row, so that equal rows of equal images are known at once.
          CREATE TABLE featureSets (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, sum INTEGER NOT NULL DEFAULT 0);
          CREATE TABLE featureRows (
            features INTEGER NOT NULL, sample INTEGER NOT NULL, state INTEGER NOT NULL, size INTEGER,
            modified INTEGER, digest INTEGER, PRIMARY KEY (features, sample)) WITHOUT ROWID;

          -- Digests of files, by their paths below the workspace. next: of a file that is about to be put in place.
          CREATE TABLE files (
            path TEXT NOT NULL PRIMARY KEY, digest TEXT, next TEXT) WITHOUT ROWID;
          """)
      try SampleSums.scan(db).store(db)
      try writer(db)
    }
    // Size and time, in nanoseconds, of files that hold many images, when they were imported.
    migrator.registerMigration("5 containers") { db in
      try db.execute(
        sql: """
          CREATE TABLE containers (
            path TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID;
          """)
      try writer(db)
    }
    // People's further remarks on images.
    migrator.registerMigration("6 remarks") { db in
      try db.execute(sql: "ALTER TABLE verifications ADD COLUMN remark TEXT")
      try writer(db)
    }
    // Images that are left out since another one, which stays, shows the same.
    migrator.registerMigration("7 copies") { db in
      try db.execute(
        sql: """
          CREATE TABLE copies (
            sample INTEGER PRIMARY KEY, kept INTEGER NOT NULL, person TEXT NOT NULL, at REAL NOT NULL,
            sum INTEGER NOT NULL);
          """)
      try writer(db)
    }
    return migrator
  }

  /// Notes which version brought the tables to their present form; every migration ends with it.
  private static func writer(_ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO meta (name, value) VALUES ('writer', ?)",
      arguments: [ProgramVersion.current])
  }

  private static let tables = """
    CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    -- Numbered from 0 in order of first appearance; a number never changes.
    CREATE TABLE classes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE splits (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE attributes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

    -- Each import adds the samples first ..< first + samples. The hashes cover their images and labels as
    -- imported.
    CREATE TABLE sources (
      id INTEGER PRIMARY KEY, path TEXT NOT NULL, format TEXT NOT NULL, options TEXT NOT NULL,
      at REAL NOT NULL, first INTEGER NOT NULL, samples INTEGER NOT NULL,
      imageHash TEXT NOT NULL, labelHash TEXT NOT NULL);

    -- Runs of samples from one file, each up to the next: the table that names them (if one does), and the
    -- folder that their paths start from.
    CREATE TABLE segments (first INTEGER PRIMARY KEY, file TEXT, base TEXT);

    -- Ten million rows are meant to fit: path is NULL where it equals the key, location where it is
    -- base/path, line where there are none.
    CREATE TABLE samples (
      id INTEGER PRIMARY KEY, class INTEGER NOT NULL, split INTEGER NOT NULL, line INTEGER, key TEXT NOT NULL,
      path TEXT, location TEXT, attributes BLOB);

    -- Finds samples by the hash of their key: entries go in sorted, which a million keys themselves could not
    -- at a bearable price. Equal hashes are told apart by the keys.
    CREATE TABLE sampleKeys (
      hash INTEGER NOT NULL, sample INTEGER NOT NULL, PRIMARY KEY (hash, sample)) WITHOUT ROWID;

    CREATE TABLE counts (
      split INTEGER NOT NULL, class INTEGER NOT NULL, samples INTEGER NOT NULL, PRIMARY KEY (split, class)
    ) WITHOUT ROWID;

    -- Append-only. answer: 1 right, 0 wrong, 2 unsure, NULL withdrawn; class: the label that was judged.
    CREATE TABLE verifications (
      id INTEGER PRIMARY KEY, sample INTEGER NOT NULL, class INTEGER NOT NULL, answer INTEGER,
      person TEXT NOT NULL, how TEXT NOT NULL, at REAL NOT NULL, dwell INTEGER, client TEXT UNIQUE);
    CREATE INDEX verificationsOfSample ON verifications (sample, class, id, answer);

    CREATE TABLE runs (
      id INTEGER PRIMARY KEY, stage TEXT NOT NULL, key TEXT NOT NULL, settings TEXT NOT NULL,
      started REAL NOT NULL, finished REAL, outcome TEXT, metrics TEXT);
    CREATE INDEX runsOfStage ON runs (stage, key);

    CREATE TABLE problems (
      sample INTEGER NOT NULL, stage TEXT NOT NULL, what TEXT NOT NULL, at REAL NOT NULL,
      PRIMARY KEY (sample, stage)) WITHOUT ROWID;
    """
}

/// The version of the program, as workspaces and reports note it.
package enum ProgramVersion {
  package static let current = "0.2.0"
}
