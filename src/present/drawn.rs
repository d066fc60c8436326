//! A picture on a GPU that nobody sees, with only what changed drawn anew.

use tracing::trace_span;

use super::show::Fault;
#[cfg(test)]
use crate::gpu::Picture;
use crate::gpu::{Gpu, Offscreen};
use crate::scene::{Damage, Rect, Scene, Size, damage};
use crate::trace::STAGE;

/// A device, a picture that keeps its content, and the scene that is on it.
pub(super) struct Drawn {
    gpu: Gpu,
    picture: Offscreen,
    scene: Option<Scene>,
    info: String,
}

impl Drawn {
    pub fn new(gpu: Gpu, size: Size) -> Result<Self, Fault> {
        let picture = Offscreen::new(&gpu, size)?;
        let info = gpu.info();
        Ok(Self { gpu, picture, scene: None, info })
    }

    /// Draws what differs from the scene before, and says which pixels that was.
    pub fn draw(&mut self, scene: &Scene) -> Result<Vec<Rect>, Fault> {
        if self.gpu.is_lost() {
            return Err(Fault::Device("the driver says so".into()));
        }
        if scene.size != self.picture.size() {
            self.picture = Offscreen::new(&self.gpu, scene.size)?;
            self.scene = None;
        }
        let what = self.scene.as_ref().map_or(Damage::All, |old| damage(old, scene));
        let _stage = trace_span!(target: STAGE, "draw").entered();
        let parts = match what {
            Damage::Nothing => return Ok(Vec::new()),
            Damage::Parts(parts) => {
                self.picture.draw(&self.gpu, scene, Some(&parts))?;
                parts
            }
            Damage::All => {
                self.picture.draw(&self.gpu, scene, None)?;
                vec![scene.size.rect()]
            }
        };
        // A copy is cheap: the texts are shared.
        self.scene = Some(scene.clone());
        Ok(parts)
    }

    /// The whole picture with this scene on it.
    #[cfg(test)]
    pub fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
        self.draw(scene)?;
        Ok(self.picture.picture(&self.gpu)?)
    }

    /// Returns when all that was drawn is finished.
    pub fn wait(&self) -> Result<(), Fault> {
        let waited = self.gpu.device.poll(wgpu::PollType::wait_indefinitely());
        waited.map(drop).map_err(|error| Fault::Device(error.to_string()))
    }

    pub fn info(&self) -> &str {
        &self.info
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::view::BoardView;
    use crate::clock::{Millis, Now};
    use crate::config::Config;
    use crate::present::show::{Canvas, HEADLESS, Show, Shown};
    use crate::scene::{Look, compose};

    const SIZE: Size = Size { w: 320, h: 180 };

    fn scene() -> Scene {
        let now = Now { mono: Millis::ZERO, wall: "2026-11-24T02:15:20Z".parse().unwrap() };
        compose(&BoardView::empty(), &Look::of(&Config::default()), SIZE, now)
    }

    fn drawn() -> Drawn {
        Drawn::new(Gpu::open(&Gpu::instance(), None).expect("a GPU or a software renderer"), SIZE).unwrap()
    }

    impl Canvas for Drawn {
        fn show(&mut self, scene: &Scene) -> Result<Shown, Fault> {
            Ok(if self.draw(scene)?.is_empty() { Shown::Same } else { Shown::Frame })
        }

        fn picture(&mut self, scene: &Scene) -> Result<Picture, Fault> {
            self.picture(scene)
        }

        fn forget(&mut self) {}

        fn gpu(&self) -> &str {
            self.info()
        }

        fn kind(&self) -> &'static str {
            HEADLESS
        }
    }

    #[test]
    fn a_device_that_is_destroyed_under_the_picture_is_a_fault_and_a_new_one_draws_the_same() {
        let mut first = drawn();
        let picture = first.picture(&scene()).unwrap();
        first.gpu.device.destroy();
        let mut changed = scene();
        changed.background = crate::scene::Colour([1, 2, 3, 255]);
        assert!(matches!(first.draw(&changed), Err(Fault::Device(_))));
        assert!(first.picture(&scene()).is_err());
        drop(first);
        assert!(drawn().picture(&scene()).unwrap() == picture);
    }

    /// The whole way back, on real devices: the next frame after the loss is on another one.
    #[test]
    fn a_board_whose_device_is_destroyed_is_on_the_glass_again_within_a_second() {
        use std::sync::{Arc, Mutex};

        use crate::clock::{Clock, ManualClock};
        use crate::present::port;

        let clock = Arc::new(ManualClock::at("2026-11-24T02:15:20Z".parse().unwrap()));
        let (_views, seen) = tokio::sync::watch::channel(Arc::new(BoardView::empty()));
        let (handle, port) = port::channel(seen, Arc::clone(&clock) as Arc<dyn Clock>);
        let mut show = Show::new(&Config::default(), port);
        let device = Arc::new(Mutex::new(None));
        let step = |show: &mut Show| {
            show.step(SIZE, &mut |size, _| {
                let gpu = Gpu::open(&Gpu::instance(), None)?;
                *device.lock().unwrap() = Some(gpu.device.clone());
                Ok(Box::new(Drawn::new(gpu, size)?))
            })
        };
        step(&mut show);
        let before = handle.report();
        {
            let device = device.lock().unwrap();
            let device: &wgpu::Device = device.as_ref().expect("it was opened");
            device.destroy();
            // It is told of once what is on its way has been drawn.
            let _ = device.poll(wgpu::PollType::wait_indefinitely());
        }
        clock.advance(Millis::from_secs(60));
        let pause = step(&mut show).expect("another attempt is due");
        assert!(handle.report().gpu.starts_with("rebuilding: "), "{:?}", handle.report());
        assert!(pause < Millis::from_secs(1), "{pause:?}");
        clock.advance(pause);
        step(&mut show);
        let after = handle.report();
        assert_eq!((after.rebuilds, after.frames, &after.gpu), (1, before.frames + 1, &before.gpu));
        assert_ne!(after.frame_hash, before.frame_hash, "a minute has passed on its clock");
    }

    /// As when memory runs out: whatever the driver refuses and nobody asked about makes the device one to be left.
    #[test]
    fn an_error_that_nobody_catches_is_a_loss() {
        let mut drawn = drawn();
        drawn.draw(&scene()).unwrap();
        let size = drawn.gpu.device.limits().max_buffer_size + 4;
        let usage = wgpu::BufferUsages::VERTEX;
        let label = Some("too large");
        let _refused = drawn.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label,
            size,
            usage,
            mapped_at_creation: false,
        });
        assert!(drawn.gpu.is_lost());
        assert!(matches!(drawn.draw(&scene()), Err(Fault::Device(_))));
    }

    #[test]
    fn a_scene_that_is_drawn_already_is_not_drawn_again() {
        let mut drawn = drawn();
        assert_eq!(drawn.draw(&scene()).unwrap(), [SIZE.rect()]);
        assert_eq!(drawn.draw(&scene()).unwrap(), []);
    }

    #[test]
    fn a_picture_of_another_size_is_drawn_whole() {
        let mut drawn = drawn();
        drawn.draw(&scene()).unwrap();
        let larger = Scene { size: Size { w: 640, h: 360 }, ..scene() };
        assert_eq!(drawn.draw(&larger).unwrap(), [larger.size.rect()]);
    }
}
