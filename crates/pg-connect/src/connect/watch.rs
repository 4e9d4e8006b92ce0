//! What a server sends, looked at before the driver sees it: which login it asks for, and how much it says.
//!
//! The driver answers any request for a password, and keeps whatever comes: a hostile server would have the password
//! in clear text, or fill the memory. Messages are framed as in the manual's section 54.7.

use crate::{
    ConnInfo,
    require_auth::{Method, Methods},
};

/// Everything up to the first `ReadyForQuery`: a login takes some hundred bytes.
const LOGIN_LIMIT: usize = 1 << 20;

/// Notices, notifications, changed settings and errors, of one answer.
const REMARKS_LIMIT: usize = 4 << 20;

/// Rows and everything else, of one answer: enough for the catalog of some 100,000 tables.
const ROWS_LIMIT: usize = 512 << 20;

/// What a message costs in memory beside its bytes, and a column beside its bytes.
const MESSAGE_COST: usize = 128;
const COLUMN_COST: usize = 24;

const NOT_POSTGRESQL: &str = "does not speak PostgreSQL's protocol: another program listens there";

/// Why no more is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It asks for a login that is not accepted: why.
    Login(String),
    /// It says too much: what.
    Excess(String),
}

/// Which logins are accepted.
#[derive(Debug)]
pub(super) struct Policy {
    /// `require_auth`, as text and read.
    required: Option<(String, Methods)>,
    scram_only: bool,
    /// Whether a password would go through a network as it is asked for.
    is_exposed: bool,
}

/// The reader of one connection's messages.
#[derive(Debug)]
pub(super) struct Watch {
    policy: Policy,
    /// The beginning of the present message: its tag, its length, and of some the next bytes.
    head: [u8; HEAD],
    seen: usize,
    /// The length of its head, as far as it is known.
    wanted: usize,
    /// How much of its body is still to come, after the head.
    left: usize,
    /// What the server has asked for so far.
    asked: Option<Method>,
    has_proved: bool,
    is_logged_in: bool,
    is_ready: bool,
    /// Of the present answer; before there is one, all.
    remarks: usize,
    rows: usize,
}

/// A tag and a length.
const TAG_AND_LENGTH: usize = 5;

/// And four bytes of the body.
const HEAD: usize = 9;

impl Policy {
    /// What holds for a connection that is encrypted or leads through a network, or neither.
    pub(super) fn new(info: &ConnInfo, is_encrypted: bool, is_network: bool) -> Self {
        // It was looked at when the connection string was read.
        let required = Methods::required(&info.more).ok().flatten();
        let text = info.more.get("require_auth").unwrap_or_default().to_owned();
        Self {
            required: required.map(|methods| (text, methods)),
            scram_only: info.scram_only,
            is_exposed: !is_encrypted && is_network && info.password.is_some(),
        }
    }

    /// Why a login is not accepted; a method of `None` is one that libpq does not know either.
    fn refusal(&self, method: Option<Method>) -> Option<String> {
        let asks = match method {
            Some(method) => format!("the server asks for {}", method.words()),
            None => "the server asks for a login that is not known here".to_owned(),
        };
        if let Some((text, methods)) = &self.required
            && !method.is_some_and(|method| methods.allow(method))
        {
            return Some(format!("require_auth={text}, and {asks}"));
        }
        if self.scram_only && method != Some(Method::Scram) {
            return Some(format!(
                "{asks}, and the server that this tool started there asks for SCRAM: another program may listen on its port"
            ));
        }
        let method = method.filter(|method| [Method::Password, Method::Md5].contains(method))?;
        let is_allowed = self.required.as_ref().is_some_and(|(_, methods)| methods.name(method));
        (self.is_exposed && !is_allowed).then(|| {
            format!(
                "{asks}, and the connection is not encrypted, so others on the network can read it\n  \
                 help: write sslmode=require, or have the server ask for scram-sha-256\n  \
                 help: to allow it all the same: require_auth={}",
                method.name()
            )
        })
    }
}

impl Watch {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            head: [0; HEAD],
            seen: 0,
            wanted: TAG_AND_LENGTH,
            left: 0,
            asked: None,
            has_proved: false,
            is_logged_in: false,
            is_ready: false,
            remarks: 0,
            rows: 0,
        }
    }

    /// Looks at the next bytes of the server's.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            if self.seen == self.wanted {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = &bytes[passed..];
                if self.left == 0 {
                    (self.seen, self.wanted) = (0, TAG_AND_LENGTH);
                }
                continue;
            }
            let taken = (self.wanted - self.seen).min(bytes.len());
            self.head[self.seen..self.seen + taken].copy_from_slice(&bytes[..taken]);
            self.seen += taken;
            bytes = &bytes[taken..];
            if self.seen == self.wanted {
                self.head_is_read()?;
            }
        }
        Ok(())
    }

    fn head_is_read(&mut self) -> Result<(), Fault> {
        let [tag, a, b, c, d, body @ ..] = self.head;
        if self.wanted == TAG_AND_LENGTH {
            // The length counts itself.
            let length = usize::try_from(i32::from_be_bytes([a, b, c, d])).unwrap_or_default();
            let Some(length) = length.checked_sub(4) else {
                return Err(Fault::Excess(NOT_POSTGRESQL.to_owned()));
            };
            // Of a web server, say.
            if !self.is_ready && length > LOGIN_LIMIT {
                return Err(Fault::Excess(NOT_POSTGRESQL.to_owned()));
            }
            self.spend(tag, length + MESSAGE_COST)?;
            if tag == b'Z' {
                (self.is_ready, self.remarks, self.rows) = (true, 0, 0);
            }
            let more = if [b'R', b'D'].contains(&tag) { length.min(HEAD - TAG_AND_LENGTH) } else { 0 };
            self.wanted += more;
            self.left = length - more;
            if more > 0 {
                return Ok(());
            }
        } else if tag == b'D' {
            let columns = u16::from_be_bytes([body[0], body[1]]);
            self.spend(tag, usize::from(columns) * COLUMN_COST)?;
        } else if self.wanted == HEAD && !self.is_logged_in {
            self.login(i32::from_be_bytes(body))?;
        }
        if self.left == 0 {
            (self.seen, self.wanted) = (0, TAG_AND_LENGTH);
        }
        Ok(())
    }

    fn spend(&mut self, tag: u8, cost: usize) -> Result<(), Fault> {
        let is_remark = [b'N', b'A', b'S', b'E'].contains(&tag);
        let (spent, limit, what) = match (self.is_ready, is_remark) {
            (false, _) => (&mut self.rows, LOGIN_LIMIT, "before the login was done"),
            (true, true) => (&mut self.remarks, REMARKS_LIMIT, "of notices and errors in one answer"),
            (true, false) => (&mut self.rows, ROWS_LIMIT, "of rows in one answer"),
        };
        *spent = spent.saturating_add(cost);
        if *spent > limit {
            return Err(Fault::Excess(format!("sent more than {} MB {what}", limit >> 20)));
        }
        Ok(())
    }

    /// A request of the login (the manual's section 54.7, `Authentication…`).
    fn login(&mut self, code: i32) -> Result<(), Fault> {
        let method = match code {
            0 => {
                self.is_logged_in = true;
                match self.asked {
                    // Whoever does not know the password could ask for its proof, and let us in all the same.
                    Some(Method::Scram) if !self.has_proved => {
                        let reason = "the server accepted the login without a proof that it knows the password";
                        return Err(Fault::Login(reason.to_owned()));
                    }
                    Some(_) => return Ok(()),
                    None => Some(Method::None),
                }
            }
            3 => Some(Method::Password),
            5 => Some(Method::Md5),
            7 | 8 => Some(Method::Gss),
            9 => Some(Method::Sspi),
            10..=12 => Some(Method::Scram),
            _ => None,
        };
        self.has_proved |= code == 12;
        self.asked = method;
        self.policy.refusal(method).map_or(Ok(()), |reason| Err(Fault::Login(reason)))
    }
}

#[cfg(test)]
mod tests;
