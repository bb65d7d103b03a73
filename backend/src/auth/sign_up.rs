//! Who may create an account. People who have one are not asked again.

use super::provider::Profile;
use entity::allowed_address;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};
use std::fmt;
use std::str::FromStr;

/// Who may create an account by signing in with a provider: the setting `PULSECHECK_SIGN_UP`.
/// Addresses that were added with [`allow`] may in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUp {
    /// Everybody whom a provider vouches for.
    Anyone,
    /// Those who match one of the rules; nobody when there is none.
    Listed(Vec<SignUpRule>),
}

/// Matches people by what their provider verified. Everything is compared in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUpRule {
    /// One e-mail address.
    Address(String),
    /// All addresses of a domain, without its subdomains: `example.com` for `@example.com`.
    Domain(String),
    /// The members of an organisation on GitHub: `acme` for `github:acme`.
    GitHubOrganisation(String),
}

/// A part of the setting that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an e-mail address, an @domain nor github:organisation")]
pub struct InvalidRule(pub String);

impl SignUp {
    /// Nobody but those who were added with [`allow`].
    #[must_use]
    pub const fn nobody() -> Self {
        Self::Listed(Vec::new())
    }

    /// The organisations on GitHub whose members may sign up.
    pub(crate) fn github_organisations(&self) -> Vec<String> {
        let rules = match self {
            Self::Anyone => &[][..],
            Self::Listed(rules) => rules,
        };
        let organisation = |rule: &SignUpRule| match rule {
            SignUpRule::GitHubOrganisation(name) => Some(name.clone()),
            _ => None,
        };
        rules.iter().filter_map(organisation).collect()
    }

    /// Whether the person may create an account.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn allows(
        &self,
        profile: &Profile,
        db: &impl ConnectionTrait,
    ) -> Result<bool, DbErr> {
        let rules = match self {
            Self::Anyone => return Ok(true),
            Self::Listed(rules) => rules,
        };
        if rules.iter().any(|rule| rule.matches(profile)) {
            return Ok(true);
        }
        match profile.verified_email() {
            Some(email) => Ok(
                allowed_address::Entity::find_by_id(email.to_ascii_lowercase())
                    .one(db)
                    .await?
                    .is_some(),
            ),
            None => Ok(false),
        }
    }
}

impl FromStr for SignUp {
    type Err = InvalidRule;

    /// Parses `anyone`, `nobody`, or rules separated by commas or spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "anyone" => Ok(Self::Anyone),
            "nobody" => Ok(Self::nobody()),
            text => text
                .split([',', ' '])
                .filter(|part| !part.is_empty())
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map(Self::Listed),
        }
    }
}

impl SignUpRule {
    fn matches(&self, profile: &Profile) -> bool {
        match self {
            Self::Address(address) => profile
                .verified_email()
                .is_some_and(|email| email.eq_ignore_ascii_case(address)),
            Self::Domain(domain) => profile
                .verified_email()
                .and_then(|email| email.rsplit_once('@'))
                .is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain)),
            Self::GitHubOrganisation(name) => profile.organisations.contains(name),
        }
    }
}

impl FromStr for SignUpRule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_lowercase();
        let invalid = || InvalidRule(text.clone());
        let is_domain = |domain: &str| {
            !domain.is_empty()
                && domain
                    .split('.')
                    .all(|label| !label.is_empty() && !label.contains(['@', ':', '/', '*']))
        };
        if let Some(name) = text.strip_prefix("github:") {
            let is_name =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            return is_name
                .then(|| Self::GitHubOrganisation(name.to_owned()))
                .ok_or_else(invalid);
        }
        match text.rsplit_once('@') {
            Some(("", domain)) if is_domain(domain) => Ok(Self::Domain(domain.to_owned())),
            Some((_, domain)) if is_domain(domain) => Ok(Self::Address(text)),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for SignUp {
    /// The setting's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = match self {
            Self::Anyone => return f.write_str("anyone"),
            Self::Listed(rules) if rules.is_empty() => return f.write_str("nobody"),
            Self::Listed(rules) => rules,
        };
        for (i, rule) in rules.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match rule {
                SignUpRule::Address(address) => write!(f, "{comma}{address}")?,
                SignUpRule::Domain(domain) => write!(f, "{comma}@{domain}")?,
                SignUpRule::GitHubOrganisation(name) => write!(f, "{comma}github:{name}")?,
            }
        }
        Ok(())
    }
}

/// Lets the owner of an e-mail address create an account, whatever the setting says.
///
/// # Errors
/// When the database fails.
pub async fn allow(
    db: &impl ConnectionTrait,
    address: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), DbErr> {
    let row = allowed_address::ActiveModel {
        address: Set(address.to_ascii_lowercase()),
        created_at: Set(now),
    };
    allowed_address::Entity::insert(row)
        .on_conflict(
            OnConflict::column(allowed_address::Column::Address)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Takes back what [`allow`] did. An account that exists stays. Returns whether the address was
/// allowed.
///
/// # Errors
/// When the database fails.
pub async fn disallow(db: &impl ConnectionTrait, address: &str) -> Result<bool, DbErr> {
    let deleted = allowed_address::Entity::delete_by_id(address.to_ascii_lowercase())
        .exec(db)
        .await?;
    Ok(deleted.rows_affected > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(email: &str, verified: bool, organisations: &[&str]) -> Profile {
        Profile {
            provider: "github",
            subject: "7".into(),
            email: Some(email.into()),
            email_verified: verified,
            name: None,
            picture: None,
            organisations: organisations.iter().map(|&name| name.into()).collect(),
        }
    }

    #[test]
    fn a_setting_reads_as_it_prints() {
        for text in [
            "anyone",
            "nobody",
            "ada@example.com,@example.org,github:acme-inc",
        ] {
            assert_eq!(text.parse::<SignUp>().unwrap().to_string(), text);
        }
        assert_eq!(
            " Ada@Example.com  @B.test ".parse::<SignUp>().unwrap(),
            SignUp::Listed(vec![
                SignUpRule::Address("ada@example.com".into()),
                SignUpRule::Domain("b.test".into()),
            ])
        );
        for wrong in [
            "ada",
            "@",
            "ada@",
            "@*.example.com",
            "github:",
            "github:a/b",
            "@a..b",
        ] {
            assert_eq!(
                format!("a@b.test,{wrong}").parse::<SignUp>(),
                Err(InvalidRule(wrong.into())),
                "{wrong}"
            );
        }
    }

    #[test]
    fn only_what_a_provider_verified_matches() {
        for (rule, email, verified, organisations, matches) in [
            ("ada@example.com", "Ada@Example.COM", true, &[][..], true),
            ("ada@example.com", "ada@example.com", false, &[], false),
            ("ada@example.com", "eve@example.com", true, &[], false),
            ("@example.com", "eve@example.com", true, &[], true),
            ("@example.com", "eve@example.com", false, &[], false),
            ("@example.com", "eve@sub.example.com", true, &[], false),
            ("@example.com", "eve@notexample.com", true, &[], false),
            (
                "@example.com",
                "\"@example.com\"@evil.test",
                true,
                &[],
                false,
            ),
            ("github:acme", "eve@evil.test", true, &["acme"], true),
            ("github:acme", "acme@acme.test", true, &["other"], false),
        ] {
            let rule: SignUpRule = rule.parse().unwrap();
            assert_eq!(
                rule.matches(&profile(email, verified, organisations)),
                matches,
                "{rule:?} {email} {verified} {organisations:?}"
            );
        }
    }
}
