//! Pages of single checks, for many services in one statement.

use super::page::Page;
use super::{Ops, Result};
use entity::check;
use entity::sql::Sql;
use sea_orm::FromQueryResult;
use std::collections::HashMap;

impl Ops {
    /// A page of the checks of each service (by its number), newest first, all before the slot `after` (epoch
    /// milliseconds). Services without checks are missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checks_of_each(
        &self,
        services: &[i32],
        first: u32,
        after: Option<i64>,
    ) -> Result<HashMap<i32, Page<check::Model>>> {
        let rows: Vec<[i64; 1]> = services.iter().map(|number| [i64::from(*number)]).collect();
        let before = after.unwrap_or(i64::MAX);
        // From the oldest slot of the page to the newest along the primary key; one more row tells whether others follow.
        let sql = Sql::new(self.db.get_database_backend())
            .text("SELECT c.* FROM ")
            .rows("given", ["number"], &rows)
            .text(" CROSS JOIN checks c WHERE c.service_number = given.number AND c.slot < ")
            .value(before)
            .text(
                " AND c.slot >= coalesce((SELECT o.slot FROM checks o WHERE o.service_number = given.number AND o.slot < ",
            )
            .value(before)
            .text(" ORDER BY o.slot DESC LIMIT 1 OFFSET ")
            .value(i64::from(first))
            .text("), 0) ORDER BY c.service_number, c.slot DESC");
        let found = check::Model::find_by_statement(sql.finish()).all(&self.db).await?;
        let mut of_each: HashMap<i32, Vec<check::Model>> = HashMap::new();
        for check in found {
            of_each.entry(check.service_number).or_default().push(check);
        }
        Ok(of_each.into_iter().map(|(service, checks)| (service, Page::of(checks, first))).collect())
    }
}
