//! A schema's owner, privileges, default privileges and comment, and the statements that give them to a schema.

use pg_config::{Identifier, Session};

use crate::{ddl, query::query, sql_error::SqlError};

/// A schema as it is.
#[derive(Clone, Debug)]
pub(super) struct SchemaState {
    pub(super) name: Identifier,
    pub(super) owner: Identifier,
    /// None where the server's own default holds.
    pub(super) acl: Option<Vec<Grant>>,
    pub(super) defaults: Vec<DefaultGrant>,
    pub(super) comment: Option<String>,
    /// Whether objects lie in it, or a publication is of it.
    pub(super) has_objects: bool,
    pub(super) has_extension: bool,
    /// Whether something hangs on the schema itself that no other schema can be given: a security label, an extension.
    pub(super) is_special: bool,
    /// Whether the session may act as its owner.
    pub(super) is_own: bool,
    pub(super) may_create: bool,
    /// Whether the session may set its default privileges.
    pub(super) may_set_defaults: bool,
}

/// A privilege on a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    grantor: String,
    /// None is PUBLIC.
    pub(super) grantee: Option<Identifier>,
    pub(super) privilege: String,
    is_grantable: bool,
}

/// A default privilege in a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DefaultGrant {
    creator: Identifier,
    objects: &'static str,
    grantee: Option<Identifier>,
    privilege: String,
    is_grantable: bool,
}

/// The privileges that there are, so that no text of the server becomes SQL.
const PRIVILEGES: [&str; 12] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "USAGE",
    "CREATE",
    "EXECUTE",
    "MAINTAIN",
    "CONNECT",
];

impl SchemaState {
    /// Reads it; `None` where there is no such schema.
    pub(super) fn read(session: &mut Session, name: &Identifier) -> Result<Option<Self>, SqlError> {
        let rows = query(session, include_str!("../sql/relocate/schema.sql"), &[name.as_str()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let texts = |column| row.get::<_, Vec<String>>(column);
        let grantee = |name: &String| (!name.is_empty()).then(|| Identifier::from_catalog(name));
        let (acl, defaults) = (texts("acl"), texts("defaults"));
        let is_known = |privilege: &String| PRIVILEGES.contains(&privilege.as_str());
        let acl = acl.as_chunks::<4>().0.iter().filter(|[.., privilege, _]| is_known(privilege));
        let acl = acl.map(|[grantor, name, privilege, is_grantable]| Grant {
            grantor: grantor.clone(),
            grantee: grantee(name),
            privilege: privilege.clone(),
            is_grantable: is_grantable == "true",
        });
        let defaults = defaults.as_chunks::<5>().0.iter().filter(|[.., privilege, _]| is_known(privilege));
        let defaults = defaults.filter_map(|[creator, objects, name, privilege, is_grantable]| {
            let (_, objects) = [("r", "TABLES"), ("S", "SEQUENCES"), ("f", "FUNCTIONS"), ("T", "TYPES")]
                .into_iter()
                .find(|(letter, _)| letter == objects)?;
            Some(DefaultGrant {
                creator: Identifier::from_catalog(creator),
                objects,
                grantee: grantee(name),
                privilege: privilege.clone(),
                is_grantable: is_grantable == "true",
            })
        });
        Ok(Some(Self {
            name: name.clone(),
            owner: crate::facts::name(row, "owner"),
            acl: row.get::<_, bool>("has_acl").then(|| acl.collect()),
            defaults: defaults.collect(),
            comment: row.get("comment"),
            has_objects: row.get("has_objects"),
            has_extension: row.get("has_extension"),
            is_special: row.get("is_special"),
            is_own: row.get("is_own"),
            may_create: row.get("may_create"),
            may_set_defaults: row.get("may_set_defaults"),
        }))
    }

    /// Whether all its privileges were granted by its owner: others cannot be granted again as they were.
    pub(super) fn is_granted_by_owner(&self) -> bool {
        self.acl.iter().flatten().all(|grant| grant.grantor == self.owner.as_str())
    }

    /// The privileges as they are without a list of their own.
    fn default_acl(&self) -> Vec<Grant> {
        let grant = |privilege: &str| Grant {
            grantor: self.owner.as_str().to_owned(),
            grantee: Some(self.owner.clone()),
            privilege: privilege.to_owned(),
            is_grantable: false,
        };
        vec![grant("USAGE"), grant("CREATE")]
    }

    /// The same schema without CREATE for everyone.
    pub(super) fn closed(&self) -> Self {
        let mut closed = self.clone();
        if let Some(acl) = &mut closed.acl {
            acl.retain(|grant| grant.grantee.is_some() || grant.privilege != "CREATE");
        }
        closed
    }

    /// Whether everyone may create in it.
    pub(super) fn is_open(&self) -> bool {
        self.acl.iter().flatten().any(|grant| grant.grantee.is_none() && grant.privilege == "CREATE")
    }

    /// The same schema where these roles may use it; none is PUBLIC.
    pub(super) fn usable_by(&self, roles: &[Option<Identifier>]) -> Self {
        let mut usable = self.clone();
        let mut acl = usable.acl.take().unwrap_or_else(|| self.default_acl());
        for role in roles {
            if !acl.iter().any(|grant| grant.grantee == *role && grant.privilege == "USAGE") {
                acl.push(Grant {
                    grantor: self.owner.as_str().to_owned(),
                    grantee: role.clone(),
                    privilege: "USAGE".to_owned(),
                    is_grantable: false,
                });
            }
        }
        usable.acl = Some(acl);
        usable
    }

    /// Those who may use it by a grant of their own: everyone and its owner left out.
    pub(super) fn users(&self) -> Vec<Option<Identifier>> {
        let users = self.acl.iter().flatten().filter(|grant| grant.privilege == "USAGE" && grant.grantee.is_some());
        users.filter(|grant| grant.grantee.as_ref() != Some(&self.owner)).map(|grant| grant.grantee.clone()).collect()
    }

    /// Gives a schema, which has this name by now and was `before`, owner, privileges and comment of this one.
    pub(super) fn given(&self, before: &Self) -> Vec<String> {
        let mut statements = vec![ddl::alter_schema_owner(&self.name, &self.owner)];
        let acl = self.acl.clone().unwrap_or_else(|| self.default_acl());
        // The old owner's own privileges have become the new one's.
        let mut held = vec![Some(self.owner.clone()), None];
        held.extend(before.acl.iter().flatten().map(|grant| grant.grantee.clone()));
        let mut named: Vec<_> = held.iter().map(|role| grantee(role.as_ref())).collect();
        named.sort_unstable();
        named.dedup();
        statements.push(format!("REVOKE ALL ON SCHEMA {} FROM {}", self.name, named.join(", ")));
        statements.extend(acl.iter().map(|grant| grant.statement(&self.name)));
        statements.push(match &self.comment {
            Some(comment) => ddl::comment_on_schema(&self.name, comment),
            None => format!("COMMENT ON SCHEMA {} IS NULL", self.name),
        });
        statements
    }
}

impl Grant {
    fn statement(&self, schema: &Identifier) -> String {
        let option = if self.is_grantable { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {} ON SCHEMA {schema} TO {}{option}", self.privilege, grantee(self.grantee.as_ref()))
    }
}

impl DefaultGrant {
    pub(super) fn grant(&self, schema: &Identifier) -> String {
        let Self { creator, objects, privilege, .. } = self;
        let option = if self.is_grantable { " WITH GRANT OPTION" } else { "" };
        let to = grantee(self.grantee.as_ref());
        format!(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {creator} IN SCHEMA {schema} GRANT {privilege} ON {objects} TO {to}{option}"
        )
    }

    pub(super) fn revoke(&self, schema: &Identifier) -> String {
        let Self { creator, objects, privilege, .. } = self;
        let from = grantee(self.grantee.as_ref());
        format!(
            "ALTER DEFAULT PRIVILEGES FOR ROLE {creator} IN SCHEMA {schema} REVOKE {privilege} ON {objects} FROM {from}"
        )
    }
}

/// A role as SQL; none is PUBLIC.
pub(super) fn grantee(role: Option<&Identifier>) -> String {
    role.map_or_else(|| "PUBLIC".to_owned(), Identifier::to_string)
}
