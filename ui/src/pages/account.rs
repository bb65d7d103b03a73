//! The account menu, the avatar, and signing out.

use crate::{
    Route,
    api::{self, Me},
    browser,
    components::{Icon, Link, icon},
    store::{Session, Store, use_store},
};
use dioxus::prelude::*;

const MENU_ID: &str = "account-menu";

pub(crate) async fn sign_out(store: Store) {
    match api::sign_out().await {
        Ok(()) => store.session.end(),
        Err(problem) => store.toasts.problem("Could not sign out", &problem),
    }
}

/// Returns the initials of the first and last name, or of the e-mail address.
fn initials(me: &Me) -> String {
    let name = if me.name.trim().is_empty() {
        &me.email
    } else {
        &me.name
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    let ends = [words.first(), words.last().filter(|_| words.len() > 1)];
    browser::uppercase(
        &ends
            .into_iter()
            .flatten()
            .filter_map(|word| word.chars().next())
            .collect::<String>(),
    )
}

/// The user's picture over their initials, which show if there is none or it does not load.
#[component]
pub(crate) fn Avatar(me: Me) -> Element {
    rsx! {
        span { class: "avatar", "aria-hidden": "true",
            {initials(&me)}
            if let Some(src) = &me.avatar_url {
                img { src: "{src}", alt: "", referrerpolicy: "no-referrer", width: "32", height: "32" }
            }
        }
    }
}

/// The button with the avatar and its menu, which the browser closes on Escape and on clicks
/// outside.
#[component]
pub(crate) fn AccountMenu() -> Element {
    let store = use_store();
    let session = store.session.state.read();
    let Session::SignedIn(me) = &*session else {
        return VNode::empty();
    };
    rsx! {
        button {
            class: "plain account",
            r#type: "button",
            "aria-label": "Account: {me.name}",
            "aria-haspopup": "true",
            popovertarget: MENU_ID,
            Avatar { me: me.clone() }
        }
        div { id: MENU_ID, class: "menu", popover: "auto", role: "group", "aria-label": "Account",
            p { class: "who",
                b { "{me.name}" }
                span { class: "dim", "{me.email}" }
            }
            Link { to: Route::Settings {}, onclick: move |()| browser::close_popover(MENU_ID), {icon(Icon::Settings)} "Settings" }
            if me.operator {
                Link { to: Route::System {}, onclick: move |()| browser::close_popover(MENU_ID), {icon(Icon::Brand)} "System" }
            }
            button {
                class: "plain",
                r#type: "button",
                onclick: move |_| {
                    browser::close_popover(MENU_ID);
                    sign_out(store)
                },
                {icon(Icon::Out)}
                "Sign out"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me(name: &str) -> Me {
        let (id, email) = (uuid::Uuid::nil(), "kim@example.com".to_owned());
        Me {
            id,
            email,
            name: name.to_owned(),
            avatar_url: None,
            operator: false,
        }
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_name() {
        for (name, letters) in [
            ("Ada Lovelace", "AL"),
            ("Jean de la Fontaine", "JF"),
            ("élodie", "É"),
            (" ", "K"),
        ] {
            assert_eq!(initials(&me(name)), letters, "{name}");
        }
    }
}
