//! A FIFO queue of mutations. They run one after the other, because a pause that overtakes its own
//! undo would win.

use dioxus::core::spawn_forever;
use futures_channel::mpsc;
use futures_util::StreamExt;
use std::{cell::RefCell, pin::Pin, rc::Rc};

type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Clone, Default)]
pub(super) struct MutationQueue(Rc<RefCell<Option<mpsc::UnboundedSender<Task>>>>);

impl MutationQueue {
    /// Runs `task` after the tasks that were enqueued before it.
    pub(super) fn enqueue(&self, task: impl Future<Output = ()> + 'static) {
        let mut sender = self.0.borrow_mut();
        let sender = sender.get_or_insert_with(|| {
            let (sender, mut tasks) = mpsc::unbounded::<Task>();
            spawn_forever(async move {
                while let Some(task) = tasks.next().await {
                    task.await;
                }
            });
            sender
        });
        // The receiver lives as long as the program.
        let _ = sender.unbounded_send(Box::pin(task));
    }
}
