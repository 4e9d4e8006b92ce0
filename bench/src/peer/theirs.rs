//! By `#[sqlx::test]`.

macro_rules! one {
    ($name:ident) => {
        #[sqlx::test]
        async fn $name(pool: sqlx::PgPool) {
            let mut connection = pool.acquire().await.unwrap();
            peer::work(&mut connection, stringify!($name), true).await;
        }
    };
}
