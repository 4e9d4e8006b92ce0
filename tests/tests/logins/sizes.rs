//! What a real server may say of a large database is no flood.

use pg_connect::connect;
use tests::Cluster;

#[test]
fn the_catalog_of_a_large_database_is_read_whole() {
    let cluster = Cluster::start();
    let mut session = connect(&cluster.superuser()).unwrap();
    // As many rows, and as long ones, as 100,000 tables have in the catalog, with their indexes, sequences and types.
    let rows = "SELECT n, pg_catalog.repeat('x', 63), pg_catalog.repeat('y', 63), n, n, n
                  FROM pg_catalog.generate_series(1, 700000) n";
    session.client.batch_execute(rows).unwrap();
    // And what a long migration remarks.
    let remarks = "DO $$ BEGIN FOR n IN 1..3000 LOOP RAISE NOTICE '%', pg_catalog.repeat('x', 500); END LOOP; END $$";
    for _ in 0..3 {
        session.client.batch_execute(remarks).unwrap();
    }
    assert_eq!(session.take_notices().len(), 9000);
}
