//! By one database for all of them: no isolation but a transaction that is rolled back.

use sqlx::Connection as _;

macro_rules! one {
    ($name:ident) => {
        #[tokio::test]
        async fn $name() {
            let url = std::env::var("PLAIN_URL").unwrap();
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            let mut transaction = connection.begin().await.unwrap();
            peer::work(&mut transaction, stringify!($name), false).await;
            transaction.rollback().await.unwrap();
            connection.close().await.unwrap();
        }
    };
}
