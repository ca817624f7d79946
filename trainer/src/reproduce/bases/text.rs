//! What is told about the figure.

use super::basis::Basis;
use super::shapes::{DRAWS, SCALE, TABLE_NODES};
use super::trainings::{HELD_OUT, PICTURES, SCALES};
use super::{Results, kilobytes};
use crate::reproduce::paragraphs;

pub(super) fn what_you_see(results: &Results) -> Vec<String> {
    let size = kilobytes(results.largest());
    let best = |picture: &str| {
        let all = Basis::ALL.map(|basis| results.model(basis, picture, results.largest()));
        let by = |of: fn(&super::Outcome) -> f64| {
            let best = all.into_iter().reduce(|best, next| if of(next) > of(best) { next } else { best });
            best.map_or_else(String::new, |best| format!("{} ({:.2} dB)", best.basis.name(), of(best)))
        };
        (by(|model| model.trained_psnr_db), by(|model| model.between_psnr_db))
    };
    let [photograph, terrain] = PICTURES.map(best);
    vec![
        "A network or a table puts a function together from simple pieces: its basis. The first five panels show the \
         tangent kernel of five bases on one coordinate as their training begins: how much learning at x0 moves the \
         output at x, for three places x0. Each kernel is a peak at x0, so that near points learn together. The peaks \
         differ. Behind ReLU layers the peak has a sharp tip; behind sine layers its top is round. With learned \
         frequencies the peak is higher the larger x0 is. The kernel of grids before a network is a small peak on a \
         high floor. That of a table ends: farther than three of its cells it is exactly zero."
            .to_owned(),
        format!(
            "The sixth panel has the eigenvalues of these kernels, each beside the frequency of its eigenvector. The \
             lines of the ReLU networks become flat: no frequency is without an eigenvalue. The line of the sine \
             layers falls and falls. That of the table stops at {} cycles, half of the number of its nodes: faster \
             waves do not fit into it at all. The third row shows the same kernels on two coordinates, x0 in the \
             middle; dark is the smallest value and light the largest.",
            TABLE_NODES / 2
        ),
        format!(
            "The fourth row is measured in real trainings on the photograph, with at most {} for each artifact: how \
             much of its low, middle and high frequencies is still wrong after each step. Every network learns the low \
             ones first and the high ones last. While the networks on frequencies learn the low ones, their error at \
             the high ones rises above that of a grey picture: they draw waves that are not there, and take them away \
             later. A table is not trained step by step. Least squares gives its best at once, so that it is a level \
             line.",
            kilobytes(results.setting.curves)
        ),
        format!(
            "The last two rows show what a byte buys: the PSNR of the artifact as a device computes it, against its \
             size. On the left it is measured on the pixels that were trained on, on the right on the pixels between \
             them. At {size} the highest line on the photograph is that of {} on the left, and of {} on the right. On \
             the terrain it is that of {}, and of {}.",
            photograph.0, photograph.1, terrain.0, terrain.1
        ),
    ]
}

pub(super) fn why() -> Vec<String> {
    paragraphs([
        "A table. Each of its numbers moves the output in a few cells and nowhere else. All waves up to the width of a \
         cell are therefore about equally easy, and faster ones are impossible: the size of the cells decides \
         everything. Where a function is smooth, a few cells are enough, and quadratic pieces follow its curves: half \
         the cell makes an eighth of the error. Where it has edges, each edge needs small cells, and a table then has \
         small cells everywhere, on the sky as on the face. So take a table for smooth functions of one or two inputs. \
         It also needs the fewest multiplications. But give it more samples than nodes by far: where it has about as \
         many nodes as there are samples, it is right at the samples and rough between them. With each further input \
         the nodes are multiplied again, and soon no table fits.",
        "Frequencies before a network. Every weight serves all places. The layers can build an edge here and calm \
         there out of the same waves, because they combine them in ways that differ from place to place. That is why \
         such networks become good on pictures with edges and fine detail, if they have enough bytes and steps. Their \
         eigenvalues fall with the frequency, so that details come late: with few steps they stay blurred. Learned \
         frequencies move to where the signal has its waves, and take no byte more on the device. A frequency that \
         moves by a little changes the phase by 2πx times as much. So its part of the kernel grows with x.",
        "Sine layers. A ReLU has a kink, and the kink is the sharp tip of the kernel: a tip is made of waves of all \
         frequencies, so the eigenvalues become flat. The sine has no kink. Its kernel is round and has nearly no fast \
         waves. So sine layers are at their best where the data are smooth.",
        "Grids before a network. The numbers of a grid are as local as those of a table. Coarse levels hold the rough \
         form, fine ones the details, and the network behind them only has to mix a few values. They learn in few \
         steps, need few multiplications, and the coarse levels keep them sensible between the samples. The floor of \
         their kernel comes from the biases of the network, which move all places at once.",
    ])
}

pub(super) fn method(results: &Results) -> Vec<String> {
    let setting = results.setting;
    let sizes: Vec<String> = setting.bytes.iter().map(|&bytes| kilobytes(bytes)).collect();
    vec![
        format!(
            "The kernels are K = J Jᵀ over all that is trained: weights, biases, and the frequencies or coefficients. \
             They are means of {DRAWS} initial networks such as `trainer fit` begins with. Networks have 64 \
             frequencies with σ = {SCALE} and three hidden layers of 64 units, or linear grids of 6, 12, 24 and 32 \
             nodes with two channels and two layers of 64 units. The table has {TABLE_NODES} nodes with quadratic \
             splines. Frequencies count in units of σ, as in training. Curves are relative to the kernel at x = x0 = \
             1/2. Eigenvalues are those on 128 evenly spaced points, as shares of the sum of all; where several \
             eigenvectors have the same main frequency, the mean is drawn."
        ),
        format!(
            "The trainings are those of `trainer fit`, with the weights in `w8a16`: {} steps of {} of the pixels of a \
             picture of {side} × {side} pixels, with Muon. {} % of the pixels are held out at random; these are the \
             pixels between those trained on. σ is {} for the photograph and {} for the terrain. Each artifact is the \
             largest of its kind within {}. Frequencies feed three hidden layers, of which the width is the number of \
             frequencies or somewhat less. Four linear grids of two channels and 8 bits feed two small layers. Tables \
             are quadratic with 6 bits. The bands hold waves of up to 4, of 5 to 20 and of more cycles over the \
             picture, in all directions.",
            setting.steps,
            setting.batch,
            100.0 * HELD_OUT,
            SCALES[0],
            SCALES[1],
            sizes.join(", "),
            side = setting.side,
        ),
    ]
}

pub(super) fn caption() -> String {
    "First two rows: tangent kernels of five bases on one coordinate at three places x0, and their eigenvalues by \
     frequency. Third row: the kernels on two coordinates, in colours from the smallest value to the largest. Fourth \
     row: the error on the photograph by frequency during training, over the amplitude of the photograph at these \
     frequencies; dashed: the table, which is fitted at once. Last two rows: PSNR of the artifacts against their \
     size."
        .to_owned()
}
