//! Our counts beside those of other engines, as a picture.

use trainer::report::bars::{Bar, Bars, Panel};
use trainer::report::figure::{Figure as _, FigureError};

use crate::counts::Row;
use crate::peers::PEERS;

const PIECES: [&str; 2] = ["layers", "encoding"];

/// The PNG of a chart of these rows, which are one board's, beside [`PEERS`].
///
/// # Errors
///
/// Where the chart cannot be drawn.
pub fn png(core: &str, rows: &[Row]) -> Result<Vec<u8>, FigureError> {
    let networks = ["small", "big"].map(|network| (network, bars(network, rows)));
    let titles = networks
        .each_ref()
        .map(|(network, _)| format!("Instructions of one evaluation on a {core}, {network} network"));
    let panels: Vec<Panel<'_>> = networks
        .iter()
        .zip(&titles)
        .map(|((_, bars), title)| Panel { title, pieces: &PIECES, bars, longest: longest(bars) })
        .collect();
    Bars { panels: &panels }.png()
}

/// Ours first, then the others, fewest instructions first.
fn bars(network: &str, rows: &[Row]) -> Vec<Bar> {
    let of_network = rows.iter().filter(|row| row.network == network);
    let ours = of_network.filter(|row| row.batch == 1 || (row.batch == 4 && row.precision == "w8a16")).map(|row| Bar {
        name: match row.batch {
            1 => format!("ours, {}", row.precision),
            batch => format!("ours, {}, batch of {batch}", row.precision),
        },
        values: vec![row.mlp as f64, row.encoding as f64],
        is_ours: true,
    });
    let k = usize::from(network == "big");
    let peers = PEERS.iter().map(|peer| Bar {
        name: match peer.encoding {
            Some(_) => peer.name.to_owned(),
            None => format!("{}, layers only", peer.name),
        },
        values: vec![peer.mlp[k] as f64, peer.encoding.map_or(0.0, |encoding| encoding[k] as f64)],
        is_ours: false,
    });
    let mut bars: Vec<Bar> = ours.chain(peers).collect();
    bars.sort_by(|a, b| (!a.is_ours).cmp(&!b.is_ours).then(total(a).total_cmp(&total(b))));
    bars
}

fn total(bar: &Bar) -> f64 {
    bar.values.iter().sum()
}

/// A length that the two slowest go beyond: they are so far off that the others would be stubs.
fn longest(bars: &[Bar]) -> f64 {
    let mut totals: Vec<f64> = bars.iter().map(total).collect();
    totals.sort_by(f64::total_cmp);
    totals.get(totals.len().saturating_sub(3)).map_or(1.0, |third| 1.05 * third)
}
