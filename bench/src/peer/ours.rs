//! By a database of `pg-testdb`'s for each test.

use sqlx::Connection as _;

macro_rules! one {
    ($name:ident) => {
        #[tokio::test]
        async fn $name() {
            let db = pg_testdb::TestDb::new().unwrap();
            let mut connection = sqlx::PgConnection::connect(&db.url()).await.unwrap();
            peer::work(&mut connection, stringify!($name), true).await;
            connection.close().await.unwrap();
        }
    };
}
