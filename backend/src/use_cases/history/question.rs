//! What may be asked about the uptime of services, and how few statements answer it.

use super::days::{MAX_DAYS, UptimeDays};
use super::long;
use super::past::Past;
use super::story::Story;
use super::uptime::{Uptime, begins, uptime};
use crate::use_cases::Result;
use chrono::{DateTime, Utc};
use domain::Window;
use sea_orm::DatabaseConnection;
use std::collections::HashMap;
use std::sync::Arc;

/// What is asked about one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Question {
    /// Its uptime over a window that ends now.
    Uptime(Window),
    /// Its uptime on each of so many calendar days (1 to [`MAX_DAYS`]), today the last.
    Days(u32),
}

/// The answer to a [`Question`].
#[derive(Debug, Clone)]
pub enum Answer {
    /// To [`Question::Uptime`].
    Uptime(Uptime),
    /// To [`Question::Days`].
    Days(UptimeDays),
}

/// Answers questions about services (by their numbers) at `now`: those about days, months and quarters together in one
/// statement, those about a day and about a week in one each. Services that do not exist have nothing covered, like those
/// without checks.
///
/// # Errors
/// What the database said.
pub async fn ask(
    db: &DatabaseConnection,
    past: &Past,
    asked: &[(i32, Question)],
    now: DateTime<Utc>,
) -> Result<HashMap<(i32, Question), Answer>> {
    let mut services: HashMap<Question, Vec<i32>> = HashMap::new();
    for (seq, question) in asked {
        let question = match *question {
            Question::Days(days) => Question::Days(days.clamp(1, MAX_DAYS)),
            Question::Uptime(_) => *question,
        };
        services.entry(question).or_default().push(*seq);
    }
    let (short, long): (Vec<_>, Vec<_>) = services.into_iter().partition(|(question, _)| {
        matches!(question, Question::Uptime(Window::Day | Window::Week))
    });

    let mut answers = HashMap::with_capacity(asked.len());
    for (question, services) in short {
        let Question::Uptime(window) = question else {
            continue;
        };
        let found = uptime(db, past, &services, window, now).await?;
        answers.extend(
            found
                .into_iter()
                .map(|(seq, uptime)| ((seq, question), Answer::Uptime(uptime))),
        );
    }
    if !long.is_empty() {
        let questions: Vec<_> = long.iter().map(|(question, _)| *question).collect();
        let mut services: Vec<_> = long
            .iter()
            .flat_map(|(_, services)| services)
            .copied()
            .collect();
        services.sort_unstable();
        services.dedup();
        let stories = long::read(db, past, &services, &questions, now).await?;
        for (question, services) in long {
            let found = services.into_iter().filter_map(|seq| {
                Some(((seq, question), answer(question, stories.get(&seq)?, now)))
            });
            answers.extend(found);
        }
    }
    Ok(answers)
}

fn answer(question: Question, story: &Arc<Story>, now: DateTime<Utc>) -> Answer {
    match question {
        Question::Days(days) => Answer::Days(UptimeDays {
            story: story.clone(),
            days,
            now,
        }),
        Question::Uptime(window) => Answer::Uptime(story.uptime(begins(window, now), now)),
    }
}
