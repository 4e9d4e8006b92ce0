//! What every one of the tests does: it writes to three tables, and sees its own row in each.

pub async fn work(connection: &mut sqlx::PgConnection, name: &str, is_alone: bool) {
    for table in ["t1_0", "t2_1", "t3_2"] {
        let insert = format!("INSERT INTO {table} (name) VALUES ($1)");
        sqlx::query(&insert).bind(name).execute(&mut *connection).await.unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        let found: i64 = sqlx::query_scalar(&count).fetch_one(&mut *connection).await.unwrap();
        assert!(found == 1 || !is_alone, "another test's rows in {table}");
    }
}
