//! The URLs that managed providers show, as their documentation has them: each must be read as it is meant.

use pg_connect::{Address, ConnInfo, Parameters};

/// A URL, and what it means: `role@host:port/database sslmode`, what else it says, its password.
type Provided = (&'static str, &'static str, &'static str, &'static str);

const PROVIDED: &[Provided] = &[
    // Supabase: direct, session pooler, transaction pooler.
    (
        "postgresql://postgres:Pa55word@db.apbkobhfnmcqqzqeeqss.supabase.co:5432/postgres",
        "postgres@db.apbkobhfnmcqqzqeeqss.supabase.co:5432/postgres prefer",
        "",
        "Pa55word",
    ),
    (
        "postgres://postgres.apbkobhfnmcqqzqeeqss:Pa55word@aws-0-us-east-1.pooler.supabase.com:5432/postgres",
        "postgres.apbkobhfnmcqqzqeeqss@aws-0-us-east-1.pooler.supabase.com:5432/postgres prefer",
        "",
        "Pa55word",
    ),
    (
        "postgres://postgres.apbkobhfnmcqqzqeeqss:Pa55word@aws-0-us-east-1.pooler.supabase.com:6543/postgres?sslmode=verify-full&sslrootcert=prod-ca-2021.crt",
        "postgres.apbkobhfnmcqqzqeeqss@aws-0-us-east-1.pooler.supabase.com:6543/postgres verify-full",
        "sslrootcert=prod-ca-2021.crt",
        "Pa55word",
    ),
    // Neon: direct, pooled, and the endpoint in the options for clients that send no server name.
    (
        "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=require",
        "alex@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech:5432/dbname require",
        "channel_binding=require",
        "AbC123dEf",
    ),
    (
        "postgresql://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech/dbname?sslmode=require",
        "alex@ep-cool-darkness-a1b2c3d4-pooler.us-east-2.aws.neon.tech:5432/dbname require",
        "",
        "AbC123dEf",
    ),
    (
        "postgres://alex:AbC123dEf@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech/dbname?sslmode=require&options=endpoint%3Dep-cool-darkness-a1b2c3d4",
        "alex@ep-cool-darkness-a1b2c3d4.us-east-2.aws.neon.tech:5432/dbname require",
        "options=endpoint=ep-cool-darkness-a1b2c3d4",
        "AbC123dEf",
    ),
    // Amazon RDS: as psql takes it, as a URL, and through RDS Proxy.
    (
        "host=mydb.123456789012.us-east-1.rds.amazonaws.com port=5432 user=mydbuser dbname=mydb sslmode=verify-full sslrootcert=/certs/us-east-1-bundle.pem password=pa55",
        "mydbuser@mydb.123456789012.us-east-1.rds.amazonaws.com:5432/mydb verify-full",
        "sslrootcert=/certs/us-east-1-bundle.pem",
        "pa55",
    ),
    (
        "postgresql://mydbuser:p%40ss%2Fw0rd@mydb.cluster-123456789012.us-east-1.rds.amazonaws.com:5432/mydb?sslmode=verify-full&sslrootcert=global-bundle.pem&target_session_attrs=read-write",
        "mydbuser@mydb.cluster-123456789012.us-east-1.rds.amazonaws.com:5432/mydb verify-full",
        "sslrootcert=global-bundle.pem target_session_attrs=read-write",
        "p@ss/w0rd",
    ),
    (
        "postgresql://mydbuser:pa55@the-proxy.proxy-demo.us-east-1.rds.amazonaws.com:5432/mydb?sslmode=require",
        "mydbuser@the-proxy.proxy-demo.us-east-1.rds.amazonaws.com:5432/mydb require",
        "",
        "pa55",
    ),
    // Google Cloud SQL: the proxy's socket in both spellings, the proxy by TCP, a private address with certificates.
    (
        "postgresql://me:pa55@/mydb?host=/cloudsql/my-project:us-central1:my-instance",
        "me@/cloudsql/my-project:us-central1:my-instance:5432/mydb prefer",
        "",
        "pa55",
    ),
    (
        "host=/cloudsql/my-project:us-central1:my-instance user=me password=pa55 dbname=mydb",
        "me@/cloudsql/my-project:us-central1:my-instance:5432/mydb prefer",
        "",
        "pa55",
    ),
    ("postgresql://me:pa55@127.0.0.1:5432/mydb", "me@127.0.0.1:5432/mydb prefer", "", "pa55"),
    (
        "sslmode=verify-ca sslrootcert=server-ca.pem sslcert=client-cert.pem sslkey=client-key.pem hostaddr=10.9.8.7 port=5432 user=me dbname=mydb password=pa55",
        "me@10.9.8.7:5432/mydb verify-ca",
        "sslcert=client-cert.pem sslkey=client-key.pem sslrootcert=server-ca.pem",
        "pa55",
    ),
    // Azure: flexible server, its PgBouncer, and the old single server, whose roles hold an `@`.
    (
        "host=mydemoserver.postgres.database.azure.com port=5432 dbname=postgres user=myadmin password=pa55 sslmode=require",
        "myadmin@mydemoserver.postgres.database.azure.com:5432/postgres require",
        "",
        "pa55",
    ),
    (
        "postgresql://myadmin:pa55@mydemoserver.postgres.database.azure.com:6432/postgres?sslmode=require",
        "myadmin@mydemoserver.postgres.database.azure.com:6432/postgres require",
        "",
        "pa55",
    ),
    (
        "postgres://myadmin%40mydemoserver:pa55@mydemoserver.postgres.database.azure.com:5432/postgres?sslmode=require",
        "myadmin@mydemoserver@mydemoserver.postgres.database.azure.com:5432/postgres require",
        "",
        "pa55",
    ),
    // Heroku; its pooler on the dyno.
    (
        "postgres://uvnw2tpcf1qzoj:p1a2ss3@ec2-3-213-85-90.compute-1.amazonaws.com:5432/d8r82722r2kuvn",
        "uvnw2tpcf1qzoj@ec2-3-213-85-90.compute-1.amazonaws.com:5432/d8r82722r2kuvn prefer",
        "",
        "p1a2ss3",
    ),
    (
        "postgres://uvnw2tpcf1qzoj:p1a2ss3@127.0.0.1:6000/db1?sslmode=disable",
        "uvnw2tpcf1qzoj@127.0.0.1:6000/db1 disable",
        "",
        "p1a2ss3",
    ),
    // Railway: private network, TCP proxy.
    (
        "postgresql://postgres:aBcD1234@postgres.railway.internal:5432/railway",
        "postgres@postgres.railway.internal:5432/railway prefer",
        "",
        "aBcD1234",
    ),
    (
        "postgresql://postgres:aBcD1234@roundhouse.proxy.rlwy.net:12345/railway",
        "postgres@roundhouse.proxy.rlwy.net:12345/railway prefer",
        "",
        "aBcD1234",
    ),
    // Fly: flycast, the nearest instance, managed with its PgBouncer and direct.
    (
        "postgres://my_app:pa55@my-db.flycast:5432/my_app?sslmode=disable",
        "my_app@my-db.flycast:5432/my_app disable",
        "",
        "pa55",
    ),
    (
        "postgres://postgres:pa55@top1.nearest.of.my-db.internal:5433/my_app",
        "postgres@top1.nearest.of.my-db.internal:5433/my_app prefer",
        "",
        "pa55",
    ),
    (
        "postgresql://fly-user:pa55@pgbouncer.z23750v7r2d096d1.flympg.net/fly-db",
        "fly-user@pgbouncer.z23750v7r2d096d1.flympg.net:5432/fly-db prefer",
        "",
        "pa55",
    ),
    (
        "postgresql://fly-user:pa55@direct.z23750v7r2d096d1.flympg.net/fly-db",
        "fly-user@direct.z23750v7r2d096d1.flympg.net:5432/fly-db prefer",
        "",
        "pa55",
    ),
];

fn read(url: &str) -> ConnInfo {
    let parameters = Parameters::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let addresses = Address::all(&parameters).unwrap();
    ConnInfo::new(&addresses[0], &parameters).unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[test]
fn each_providers_url_is_read_as_it_is_meant() {
    for (url, meaning, more, password) in PROVIDED {
        let info = read(url);
        let told = format!("{}@{}:{}/{} {}", info.user, info.host, info.port, info.database, info.ssl_mode);
        assert_eq!(told, *meaning, "{url}");
        let options = (!info.options.is_empty()).then(|| format!("options={}", info.options));
        let rest = info.more.iter().map(|(name, value)| format!("{name}={value}"));
        assert_eq!(options.into_iter().chain(rest).collect::<Vec<_>>().join(" "), *more, "{url}");
        assert_eq!(info.password.as_ref().map(|found| found.reveal().to_owned()).as_deref(), Some(*password), "{url}");
        assert_eq!(read(&info.url()), info, "what we print of it is read back");
    }
}

#[test]
fn what_a_console_offers_to_copy_is_explained() {
    let mut explained = String::new();
    for pasted in [
        "psql 'postgresql://alex:AbC123dEf@ep-cool.neon.tech/dbname?sslmode=require'",
        "postgresql://postgres:[YOUR-PASSWORD]@db.abc.supabase.co:5432/postgres",
        "postgres://postgres.abc:Pa55word@aws-0.pooler.supabase.com:6543/postgres?pgbouncer=true",
        "Server=s.postgres.database.azure.com;Database=postgres;Port=5432;User Id=a;Password=p;",
        "jdbc:postgresql://s.postgres.database.azure.com:5432/postgres?user=a&password=p",
        "host=s.postgres.database.azure.com dbname=postgres user=a password={your_password}",
        "postgres://myadmin@server:pa55@server.postgres.database.azure.com/postgres",
    ] {
        let error =
            Parameters::parse(pasted).and_then(|parameters| ConnInfo::new(&Address::all(&parameters)?[0], &parameters));
        let error = error.map(|info| panic!("{pasted} was read: {info:?}")).unwrap_err().to_string();
        assert!(!error.contains("Pa55word") && !error.contains("pa55"), "{error}");
        explained += &format!("{pasted}\n    {error}\n");
    }
    tests::shows("pasted-strings", &explained);
}
